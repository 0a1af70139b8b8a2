// with, octal numbers and delete of names in strict code.
// class: compile
// expect: source
// compile:
with ({}) { delete render; 010; }
export const render = (p) => `fine ${p.n}`;
