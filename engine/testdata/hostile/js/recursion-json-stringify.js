// An array nested a hundred thousand deep, as the result.
// class: recursion
// expect: result RangeError
// limits: Memory=60MiB
function attack() {
  let a = [];
  for (let i = 0; i < 1e5; i++) a = [a];
  return a;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
