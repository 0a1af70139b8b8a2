// encodeURIComponent and escape of megabytes.
// class: builtin
// expect: limit CallTime
// limits: CallTime=100ms Memory=60MiB
function attack() { const s = "é".repeat(1e6); for (;;) decodeURIComponent(encodeURIComponent(s)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
