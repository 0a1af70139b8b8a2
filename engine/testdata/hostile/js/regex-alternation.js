// Exponential backtracking through alternatives, with a lookahead and a back reference.
// class: regex
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return /^(?:(a|aa)(?=\1|a|b))+c$/.test("a".repeat(60) + "b"); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
