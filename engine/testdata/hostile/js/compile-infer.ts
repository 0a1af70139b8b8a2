// Constraints of inferred types, which the parser reads with what follows and without: 2^40 readings.
// class: compile
// expect: limit CompileTime within 25ms
// compile:
type A<X> = X extends
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  [infer T extends [infer T extends [infer T extends [infer T extends 
  X ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2] ? 1 : 2;
export const render = (p) => `fine ${p.n}`;
