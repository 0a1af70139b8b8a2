// An exception whose name, message and stack are megabytes.
// class: error
// expect: error Error
function attack() { throw Object.assign(new Error("x".repeat(4e6)), { name: "", stack: ("    at f (" + "y".repeat(1000) + ".js:1:1)\n").repeat(4000) }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
