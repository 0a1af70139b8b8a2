// Map, Set and WeakMap are broken, which timers and host calls may use.
// class: pollution
// expect: error
function attack() {
  for (const c of [Map, Set, WeakMap]) for (const k of Reflect.ownKeys(c.prototype)) try { Object.defineProperty(c.prototype, k, { value: () => { throw new TypeError("polluted"); } }); } catch {}
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
