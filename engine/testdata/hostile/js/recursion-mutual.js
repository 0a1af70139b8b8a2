// Methods, arrow functions and closures that call each other.
// class: recursion
// expect: error RangeError
const a = { f: (n) => b.g(n + 1) + 1 };
const b = { g(n) { return [n].map((x) => a.f(x))[0]; } };
function attack() { return a.f(0); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
