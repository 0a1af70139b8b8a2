// Errors that keep their stacks, from deep inside.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
const kept = [];
function deep(n) { if (n) return deep(n - 1); kept.push(new Error("x".repeat(1000), { cause: kept.at(-1) })); }
function attack() { for (;;) deep(100); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
