// Counted repetition of counted repetition, which a compiler might unroll.
// class: regex
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return /(((a{0,999}){0,999}){0,999}){0,999}b/.test("a".repeat(5000)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
