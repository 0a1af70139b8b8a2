// fill of an array-like that is as long as a number can say.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms Memory=60MiB
function attack() { return Array.prototype.fill.call({ length: Number.MAX_SAFE_INTEGER, set 0(v) {} }, 0); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
