// Intervals for ever.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { return new Promise(() => { setInterval(() => {}, 1); }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
