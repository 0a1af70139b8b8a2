// The shortest loop there is.
// class: loop
// expect: limit CallTime
// limits: CallTime=50ms
function attack() { for (;;); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
