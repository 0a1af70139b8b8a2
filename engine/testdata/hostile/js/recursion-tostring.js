// toString that converts itself to a string.
// class: recursion
// expect: error RangeError
const o = { toString() { return `${this}`; } };
function attack() { return "" + o; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
