// Functions made from text that make functions from text.
// class: recursion
// expect: error RangeError
globalThis.again = () => Function("return again() + 1")();
function attack() { return again(); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
