// Property names without end.
// class: hash
// expect: limit Memory
// limits: Memory=20MiB
function attack() {
  const o = {};
  for (let i = 0; ; i++) o["some long property name number " + i] = i;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
