// Top-level code that throws what cannot be shown.
// class: compile
// expect: error
// compile:
throw new Proxy({}, { get() { throw 1; } });
export const render = (p) => `fine ${p.n}`;
