// An error that claims to be exhausted memory, while memory abounds.
// class: error
// expect: error InternalError: out of memory
function attack() { throw new InternalError("out of memory"); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
