// One argument that is small in memory and enormous when it is shown.
// class: flood
// expect: limit Console
// limits: Console=16KiB
function attack() { let a = ["x"]; for (let i = 0; i < 40; i++) a = [a, a]; for (;;) console.log(a, [a], { a }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
