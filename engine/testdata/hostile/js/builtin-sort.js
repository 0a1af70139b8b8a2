// Sorting a large array again and again, and with a comparison that lies.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=100ms
function attack() { const a = Array.from({ length: 1e5 }, Math.random); for (;;) { a.sort(); a.sort(() => Math.random() - 0.5); } }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
