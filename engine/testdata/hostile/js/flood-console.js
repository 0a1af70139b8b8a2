// Prints for ever.
// class: flood
// expect: limit Console
function attack() { for (;;) console.log('hello'); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
