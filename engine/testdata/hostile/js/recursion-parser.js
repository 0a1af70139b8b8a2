// eval of source with a hundred thousand brackets.
// class: recursion
// expect: error RangeError
function attack() { return eval("[".repeat(1e5) + "]".repeat(1e5)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
