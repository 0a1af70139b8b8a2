// A number with a million digits, as text and back.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=100ms
function attack() { const n = (1n << 1000000n) - 1n; for (;;) BigInt(n.toString()); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
