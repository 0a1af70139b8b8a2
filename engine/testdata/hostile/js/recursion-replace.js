// A replacement function that replaces.
// class: recursion
// expect: error RangeError
const f = (s) => s.replace(/a/g, () => f("aa"));
function attack() { return f("a"); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
