// null, thrown where the interpreter itself throws null when it has no memory.
// class: error
// expect: error: null
function attack() { throw null; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
