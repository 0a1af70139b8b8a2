// An exception whose message never ends.
// class: error
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { throw Object.defineProperty(new Error("x"), "message", { get() { for (;;); } }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
