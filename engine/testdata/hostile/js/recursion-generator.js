// Generators that delegate to themselves.
// class: recursion
// expect: error RangeError
function* g() { yield* g(); }
function attack() { return [...g()]; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
