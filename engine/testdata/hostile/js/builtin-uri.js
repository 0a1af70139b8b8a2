// encodeURIComponent and escape of megabytes.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=100ms Memory=60MiB
function attack() { const s = "é".repeat(1e6); for (;;) decodeURIComponent(encodeURIComponent(s)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
