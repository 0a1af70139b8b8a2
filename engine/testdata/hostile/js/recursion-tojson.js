// toJSON that stringifies itself, in the result.
// class: recursion
// expect: result RangeError
const o = { toJSON() { return JSON.stringify(this); } };
function attack() { return o; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
