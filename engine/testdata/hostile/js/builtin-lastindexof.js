// The same from behind.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { const s = "a".repeat(4e6), needle = "b" + "a".repeat(2e6); for (;;) s.lastIndexOf(needle); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
