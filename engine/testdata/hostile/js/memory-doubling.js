// A string doubled until there is no memory, flattened each time.
// class: memory
// expect: limit Memory
// limits: Memory=24MiB
function attack() { let s = "é"; for (;;) { s += s; s.charCodeAt(s.length - 1); } }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
