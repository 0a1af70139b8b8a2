// The shortest loop there is.
// class: loop
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { for (;;); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
