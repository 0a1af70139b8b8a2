// A string of the greatest length, by repeat.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() { return "x".repeat(2 ** 30 - 1).length + "x".repeat(2 ** 30); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
