// Map keys and property names chosen to collide in a hash table with a fixed seed.
// class: hash
// expect: limit CallTime within 25ms
// limits: CallTime=100ms Memory=60MiB
function attack() {
  const m = new Map();
  for (let i = 0; ; i++) { m.set(i * 2 ** 32, i); m.set(i * 2 ** 40 + 0.5, i); if (m.size > 2e5) m.clear(); }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
