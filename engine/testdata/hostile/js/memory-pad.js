// padStart and padEnd to the greatest length.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() { return "x".padStart(2 ** 29, "ab").padEnd(2 ** 30 - 2, "é").length; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
