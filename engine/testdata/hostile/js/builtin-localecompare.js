// normalize and localeCompare of text that expands.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=100ms Memory=60MiB
function attack() { const s = "\ufdfa".repeat(50000); for (;;) { s.normalize("NFKD"); s.localeCompare(s + "x"); } }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
