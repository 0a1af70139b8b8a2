// structuredClone of a list a hundred thousand deep.
// class: recursion
// expect: error RangeError
// limits: Memory=60MiB
function attack() {
  let o = null;
  for (let i = 0; i < 1e5; i++) o = { o };
  return structuredClone(o);
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
