// A buffer that is detached while it is serialised.
// class: result
// expect: json {"a":{"$bytes":0},"b":{},"c":1}
function attack() {
  const a = new Uint8Array(64).fill(7), b = new Uint8Array(64);
  return { a, b: { toJSON() { structuredClone(a.buffer, { transfer: [a.buffer] }); return {}; } }, c: 1 };
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
