// Conditional expressions whose branches might be arrow functions with a return type. Eight of them;
// each further one doubles the parser's work.
// class: compile
// expect: text fine 7
// compile:
const a = (x: any, b: any, c: any, d: any, e: any) => x ? (b) : c => x ? (b) : c => x ? (b) : c => x ? (b) : c => x ? (b) : c => x ? (b) : c => x ? (b) : c => x ? (b) : c => d : e : e : e : e : e : e : e : e;
export const render = (p) => `fine ${p.n}`;
