// Symbol.hasInstance and Symbol.toPrimitive that use themselves.
// class: recursion
// expect: error RangeError
class A { static [Symbol.hasInstance](v) { return v instanceof A; } }
function attack() { return {} instanceof A; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
