// Weak references and finalizers that bring back what was to be freed.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
const kept = [];
const registry = new FinalizationRegistry((o) => kept.push(o, {}, []));
function attack() {
  for (let i = 0; ; i++) { const o = { i, text: "x".repeat(100) }; kept.push(new WeakRef(o)); registry.register(o, { i }); }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
