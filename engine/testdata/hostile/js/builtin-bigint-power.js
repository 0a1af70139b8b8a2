// A power of big integers with millions of digits.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=200ms Memory=60MiB
function attack() { let n = 3n; for (;;) n = n * n; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
