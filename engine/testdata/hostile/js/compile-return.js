// return, await and new.target outside of functions.
// class: compile
// expect: source
// compile:
return;
export const render = (p) => `fine ${p.n}`;
