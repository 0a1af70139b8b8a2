// A counter that remembers where it has been. Its state is the variables of
// this module: the host saves them, whatever they are.

const history: number[] = [0];
const SHOWN = 48;

// event is what a button of the page does.
export function event({ action }: { action: string }) {
  const count = history[history.length - 1];
  switch (action) {
    case "more":
      history.push(count + 1);
      break;
    case "less":
      history.push(count - 1);
      break;
    case "zero":
      history.push(0);
      break;
    default:
      throw new Error(`a counter has no ${action}`);
  }
  history.splice(0, history.length - SHOWN);
}

function Trace() {
  const low = Math.min(...history);
  const range = Math.max(1, Math.max(...history) - low);
  const x = (i: number) => ((i * (SHOWN - 1)) / Math.max(1, history.length - 1)).toFixed(2);
  const y = (n: number) => (24 - (22 * (n - low)) / range).toFixed(2);
  const line = history.map((n, i) => `${x(i)},${y(n)}`).join(" ");
  return (
    <svg viewBox={`0 0 ${SHOWN - 1} 26`} preserveAspectRatio="none" role="img" aria-label="The last counts">
      <polyline points={line} />
    </svg>
  );
}

export default function Counter() {
  const count = history[history.length - 1];
  return (
    <form method="post" className="counter">
      <output className={count < 0 ? "below" : undefined}>{String(count).replace("-", "−")}</output>
      <Trace />
      <div className="buttons">
        <button name="action" value="less" aria-label="One less">−</button>
        <button name="action" value="zero" className="quiet">Reset</button>
        <button name="action" value="more" aria-label="One more">+</button>
      </div>
    </form>
  );
}
