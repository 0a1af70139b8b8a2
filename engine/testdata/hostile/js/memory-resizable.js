// Resizable buffers that grow and shrink.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() {
  const kept = [];
  for (;;) { const b = new ArrayBuffer(1, { maxByteLength: 1 << 22 }); b.resize(1 << 22); b.resize(0); b.resize(1 << 22); kept.push(b); }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
