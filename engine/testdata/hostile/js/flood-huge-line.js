// One line of ten megabytes.
// class: flood
// expect: limit Console
function attack() { console.log('x'.repeat(1e7)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
