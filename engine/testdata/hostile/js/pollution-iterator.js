// Iteration is broken for every built-in.
// class: pollution
// expect: error
function attack() {
  for (const p of [Array, Map, Set, String]) p.prototype[Symbol.iterator] = () => { throw new TypeError("polluted"); };
  Object.getPrototypeOf([][Symbol.iterator] ?? {}).next = null;
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
