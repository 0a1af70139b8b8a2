// Timers and sleeps at the top level.
// class: compile
// expect: text fine 7
// compile:
setInterval(() => { for (;;); }, 1);
setTimeout(() => { throw new Error('late'); });
export const render = (p) => `fine ${p.n}`;
