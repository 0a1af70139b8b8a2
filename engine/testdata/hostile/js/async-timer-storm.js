// Timers that each set two.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=300ms Memory=60MiB
function attack() { const f = () => { setTimeout(f, 0); setTimeout(f, 0); }; f(); return new Promise(() => {}); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
