// A thenable that resolves itself with itself.
// class: result
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { const t = { then(ok) { ok(t); } }; return t; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
