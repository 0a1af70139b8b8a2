// A card that differs with every visit: the time, a random pattern, and a
// counter that shows what a render can remember of those before it.

let visits = 0;

function Pattern() {
  const hue = Math.floor(Math.random() * 360);
  const cells = [];
  for (let y = 0; y < 7; y++) {
    for (let x = 0; x < 4; x++) {
      if (Math.random() < 0.5) continue;
      cells.push(<rect key={`${x}-${y}`} x={x} y={y} width="1" height="1" />);
      if (x < 3) cells.push(<rect key={`${6 - x}-${y}`} x={6 - x} y={y} width="1" height="1" />);
    }
  }
  return (
    <svg className="pattern" viewBox="-1 -1 9 9" role="img" aria-label="A random pattern" fill={`hsl(${hue} 65% 50%)`}>
      {cells}
    </svg>
  );
}

export default function Card({ visitor }: { visitor: string }) {
  visits++;
  return (
    <section className="card">
      <Pattern />
      <div>
        <h1>Hello, {visitor}</h1>
        <p className="lead">This card was rendered for you at {new Date().toISOString().slice(11, 19)} UTC.</p>
        <p>
          It counts its visits in a variable, and has counted <b>{visits}</b>. It will never count more: each render starts
          from the same memory and is forgotten when it ends, except that clock and randomness are its own.
        </p>
        <p>Load the page again for another pattern.</p>
      </div>
    </section>
  );
}
