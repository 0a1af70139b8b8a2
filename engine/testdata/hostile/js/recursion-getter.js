// A getter that reads itself.
// class: recursion
// expect: error RangeError
const o = { get x() { return this.x + 1; } };
function attack() { return o.x; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
