// Serialising and parsing megabytes, again and again.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=100ms Memory=60MiB
function attack() { const a = Array.from({ length: 1e5 }, (_, i) => ({ i })); for (;;) JSON.parse(JSON.stringify(a)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
