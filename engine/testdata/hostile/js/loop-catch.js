// Catches everything and goes on, as code does that wants to survive its interruption.
// class: swallow
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() {
  for (;;) try { for (;;); } catch {} finally { for (;;); }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
