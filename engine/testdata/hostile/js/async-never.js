// A promise that nothing can settle.
// class: async
// expect: stuck
function attack() { return new Promise(() => {}); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
