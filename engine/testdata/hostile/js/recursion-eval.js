// eval in eval in eval.
// class: recursion
// expect: error RangeError
globalThis.again = () => (0, eval)("again() + 1");
function attack() { return again(); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
