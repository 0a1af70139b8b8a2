// A chain of two hundred thousand prototypes, at the end of which nothing is found.
// class: recursion
// expect: text falseundefined
// limits: Memory=60MiB
function attack() {
  let o = {};
  for (let i = 0; i < 2e5; i++) o = Object.create(o);
  return String("missing" in o) + o.missing;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
