// Exponential backtracking.
// class: regex
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return /^(a+)+$/.test("a".repeat(40) + "b"); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
