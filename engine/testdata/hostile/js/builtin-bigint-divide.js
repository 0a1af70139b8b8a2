// Division of numbers with hundreds of thousands of digits.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=100ms
function attack() { const a = (1n << 1000000n) - 1n, b = (1n << 500000n) - 3n; for (;;) a % b; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
