// A string larger than the result may be.
// class: result
// expect: limit Output
function attack() { return "x".repeat(1 << 20) + "x"; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
