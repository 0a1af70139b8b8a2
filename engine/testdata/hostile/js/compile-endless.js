// Top-level code that never ends.
// class: compile
// expect: limit CompileTime within 25ms
// compile:
for (;;);
export const render = (p) => `fine ${p.n}`;
