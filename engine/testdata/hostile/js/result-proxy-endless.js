// A proxy whose keys are endless.
// class: result
// expect: limit Memory
// limits: Memory=12MiB
function attack() {
  return new Proxy([], { get: (t, k) => (k === "length" ? 2 ** 32 - 1 : k === "toJSON" ? undefined : 1) });
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
