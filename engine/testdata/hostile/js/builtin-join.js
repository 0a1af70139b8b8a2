// join of an array-like with four billion empty elements.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return Array.prototype.join.call({ length: 2 ** 32 - 2 }, "").length; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
