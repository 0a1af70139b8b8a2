// Thousands of growths of a few pages each, freed and asked for again in other sizes.
// class: memory
// expect: limit CallTime within 25ms
// limits: CallTime=200ms Memory=40MiB
function attack() {
  for (let round = 0; ; round++) {
    let kept = [];
    for (let i = 0; i < 200; i++) kept.push(new Uint8Array(65536 + ((i * 7919 + round) % 65536)));
    kept = null;
  }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
