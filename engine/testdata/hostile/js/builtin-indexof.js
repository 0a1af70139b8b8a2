// Searching a long text for what is almost everywhere in it.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { const s = "a".repeat(4e6), needle = "a".repeat(2e6) + "b"; for (;;) s.indexOf(needle); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
