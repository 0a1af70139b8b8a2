// A regular expression of a hundred thousand groups inside each other.
// class: recursion
// expect: error SyntaxError
function attack() { return new RegExp("(".repeat(1e5) + ")".repeat(1e5)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
