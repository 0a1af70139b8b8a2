// Symbols, functions and classes where a value should be.
// class: result
// expect: result TypeError
function attack() { return attack; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
