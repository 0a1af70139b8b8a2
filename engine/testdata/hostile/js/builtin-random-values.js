// A flood of randomness.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { const a = new Uint8Array(65536); for (;;) crypto.getRandomValues(a); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
