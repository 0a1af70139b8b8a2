// flat(Infinity) of an array that contains itself.
// class: recursion
// expect: error RangeError
function attack() {
  const a = [];
  a.push(a);
  return a.flat(Infinity);
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
