// Objects each of which has a shape of its own.
// class: hash
// expect: limit Memory
// limits: Memory=20MiB
function attack() {
  const kept = [];
  for (let i = 0; ; i++) { const o = {}; o["a" + i] = 1; o["b" + i] = 2; delete o["a" + i]; kept.push(o); }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
