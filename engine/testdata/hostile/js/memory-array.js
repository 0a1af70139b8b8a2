// An array that grows for ever.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() { const a = []; for (;;) a.push(a.length, {}); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
