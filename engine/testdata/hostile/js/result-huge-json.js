// Shared structure that is small in memory and enormous as JSON.
// class: result
// expect: limit Memory
// limits: Memory=12MiB
function attack() { let a = ["x"]; for (let i = 0; i < 40; i++) a = [a, a]; return a; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
