// AggregateErrors inside each other.
// class: error
// expect: error AggregateError: 999
function attack() {
  let e = new Error("end");
  for (let i = 0; i < 1000; i++) e = new AggregateError([e, e], String(i), { cause: e });
  throw e;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
