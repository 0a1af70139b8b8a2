// Microtasks without end.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
async function attack() { for (;;) await 0; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
