// Causes that run in a circle, and a getter among them.
// class: error
// expect: error Error: outer
function attack() {
  const a = new Error("outer"), b = new Error("inner", { cause: a });
  Object.defineProperty(a, "cause", { get: () => b });
  throw a;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
