// A setter that writes itself.
// class: recursion
// expect: error RangeError
const o = { set x(v) { this.x = v + 1; } };
function attack() { o.x = 1; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
