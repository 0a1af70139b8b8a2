// An async function that awaits and catches for ever.
// class: swallow
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
async function attack() {
  for (;;) try { await Promise.reject(new Error("no")); } catch {} finally { await null; }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
