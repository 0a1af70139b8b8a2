// JSON text nested a million deep.
// class: recursion
// expect: error RangeError
function attack() { return JSON.parse("[".repeat(1e6)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
