// Top-level code that never ends.
// class: compile
// expect: limit CompileTime
// compile:
for (;;);
export const render = (p) => `fine ${p.n}`;
