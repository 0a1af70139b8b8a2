// Source that ends the function it is wrapped in.
// class: compile
// expect: source
// compile:
}); globalThis.escaped = 1; (function () {
export const render = (p) => `fine ${p.n}`;
