// An async generator whose return never ends.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
async function* g() { try { for (;;) yield 1; } finally { for (;;) await 0; } }
async function attack() { for await (const x of g()) break; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
