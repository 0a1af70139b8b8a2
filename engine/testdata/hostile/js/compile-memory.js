// Top-level code that takes all memory.
// class: compile
// expect: limit Memory
// compile:
const a = [];
for (;;) a.push(new Uint8Array(1e6).fill(1));
export const render = (p) => `fine ${p.n}`;
