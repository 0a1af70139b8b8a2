// Prints nothing for ever: each message costs the host, though it has no bytes.
// class: flood
// expect: limit Console
function attack() { for (;;) console.log(); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
