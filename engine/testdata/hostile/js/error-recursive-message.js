// An exception whose message throws the exception.
// class: error
// expect: error Error
function attack() { const e = new Error("x"); Object.defineProperty(e, "message", { get() { throw e; } }); throw e; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
