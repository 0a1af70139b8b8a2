// Arrays that are given their whole length at once.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() { const kept = []; for (;;) kept.push(new Array(1e6).fill(0)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
