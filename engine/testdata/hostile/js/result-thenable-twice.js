// A thenable that settles many times, and throws.
// class: result
// expect: text first
function attack() { return { then(ok, no) { ok("first"); ok("second"); no(new Error("third")); throw new Error("fourth"); } }; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
