// An async function that awaits and catches for ever.
// class: swallow
// expect: limit CallTime
// limits: CallTime=50ms
async function attack() {
  for (;;) try { await Promise.reject(new Error("no")); } catch {} finally { await null; }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
