// Setters and getters on Object.prototype for the names that a prelude may use.
// class: pollution
// expect: error Error: real
function attack() {
  for (const k of ["kind", "name", "stack", "trace", "func", "file", "line", "column", "diagnostics", "host", "id", "due", "then", "0", "1", "length", "value"])
    Object.defineProperty(Object.prototype, k, { configurable: true, get() { throw new TypeError("polluted"); }, set() { throw new TypeError("polluted"); } });
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
