// Waiting for another thread on shared memory, where there is none.
// class: builtin
// expect: error ReferenceError
function attack() { return Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
