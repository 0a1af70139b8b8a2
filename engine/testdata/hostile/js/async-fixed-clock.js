// Intervals on a fixed clock, where sleeping takes no time at all.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
// fixed:
function attack() { return new Promise(() => { setInterval(() => {}, 2 ** 31 - 1); }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
