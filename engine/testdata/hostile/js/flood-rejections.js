// Rejected promises without handlers, each of which would be logged.
// class: flood
// expect: limit CallTime within 25ms
// limits: CallTime=100ms Memory=60MiB
function attack() { for (;;) Promise.reject(new Error("x".repeat(100))); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
