// A timer that throws while the call waits.
// class: async
// expect: error Error: from a timer
function attack() { return new Promise(() => { setTimeout(() => { throw new Error("from a timer"); }, 1); }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
