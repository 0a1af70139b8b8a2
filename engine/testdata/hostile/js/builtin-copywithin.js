// Array methods on array-likes of the greatest length, where nothing is there.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
