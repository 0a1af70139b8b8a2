// Typed arrays of a megabyte, all of them kept.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() { const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
