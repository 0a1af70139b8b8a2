// Error.prepareStackTrace and stackTraceLimit set by the component.
// class: error
// expect: error Error: x
function attack() {
  Error.prepareStackTrace = () => { throw new Error("prepare"); };
  Error.stackTraceLimit = Infinity;
  const deep = (n) => { if (n) deep(n - 1); else throw new Error("x"); };
  deep(500);
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
