// A lookbehind that is tried at every place of a long text.
// class: regex
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return "a".repeat(2e5).replace(/(?<=^a*)b|(?<!(a|b)*)c/g, ""); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
