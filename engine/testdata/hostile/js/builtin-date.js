// Dates and their formats at the ends of time, and a parser given megabytes.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { for (;;) { new Date(8.64e15).toISOString(); Date.parse("1".repeat(1e6)); new Date(NaN).toLocaleString(); } }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
