// A getter in the result that throws, another that never returns.
// class: result
// expect: result TypeError
function attack() { return { get a() { throw new TypeError("no"); }, get b() { for (;;); } }; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
