// Closures, generators and promises that keep each other.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() {
  let last = null;
  for (;;) { const before = last; function* g() { yield before; } const it = g(); it.next(); last = { it, p: new Promise(() => it) }; }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
