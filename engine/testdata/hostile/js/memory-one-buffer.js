// One buffer larger than any memory.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() { return new ArrayBuffer(2 ** 31 - 1).byteLength; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
