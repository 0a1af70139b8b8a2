// Conditional expressions as in compile-conditional.ts, but forty of them, with semicolons in comments
// that hide from all but a parser that they are inside of each other: 2^40 readings.
// class: compile
// expect: limit CompileTime within 25ms
// compile:
const a = (x: any, b: any, c: any, d: any, e: any) =>
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ x ? (b) : c => /*;*/ 
  d : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e : e ;
export const render = (p) => `fine ${p.n}`;
