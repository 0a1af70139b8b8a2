// A promise resolved with itself.
// class: async
// expect: error TypeError
function attack() { let ok; const p = new Promise((r) => { ok = r; }); ok(p); return p; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
