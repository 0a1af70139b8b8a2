// includes, reverse and lastIndexOf on array-likes of the greatest length.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
