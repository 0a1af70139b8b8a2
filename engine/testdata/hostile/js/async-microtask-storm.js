// Microtasks that each make two, and go on when there is no memory for more.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=300ms Memory=24MiB
function attack() { const f = () => { Promise.resolve().then(f); Promise.resolve().then(f); }; f(); return new Promise(() => {}); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
