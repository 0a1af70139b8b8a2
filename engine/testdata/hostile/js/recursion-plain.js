// A function that calls itself.
// class: recursion
// expect: error RangeError
function attack() { return attack() + 1; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
