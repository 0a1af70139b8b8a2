// Top-level code that leaves microtasks without end.
// class: compile
// expect: limit CompileTime within 25ms
// compile:
(async () => { for (;;) await 0; })();
export const render = (p) => `fine ${p.n}`;
