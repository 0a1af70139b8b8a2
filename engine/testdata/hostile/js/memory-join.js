// join of an array whose elements together are enormous.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() { return new Array(1e5).fill("x".repeat(1e5)).join("é").length; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
