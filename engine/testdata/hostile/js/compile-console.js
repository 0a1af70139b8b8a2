// Top-level code that prints for ever.
// class: compile
// expect: limit Console
// compile:
for (;;) console.log('hello');
export const render = (p) => `fine ${p.n}`;
