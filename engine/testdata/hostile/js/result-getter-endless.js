// A getter in the result that never returns.
// class: result
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return { get a() { for (;;); } }; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
