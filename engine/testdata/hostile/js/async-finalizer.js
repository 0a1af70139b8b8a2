// A finalizer that throws, registers itself anew and never ends.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=200ms Memory=40MiB
const registry = new FinalizationRegistry(() => { for (;;); });
async function attack() { for (;;) { registry.register({}, 1); await 0; } }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
