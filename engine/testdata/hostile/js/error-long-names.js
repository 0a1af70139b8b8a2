// A stack of sixty-four frames whose files and functions have a thousand characters.
// class: error
// expect: error Error: x
function attack() { throw Object.assign(new Error("x"), { stack: ("    at " + "f".repeat(1000) + " (" + "y".repeat(1000) + ".js:1:1)\n").repeat(64) }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
