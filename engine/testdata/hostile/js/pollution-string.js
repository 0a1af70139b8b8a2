// The methods of String.prototype, RegExp.prototype and String are replaced.
// class: pollution
// expect: error
function attack() {
  for (const p of [String.prototype, RegExp.prototype]) for (const k of Reflect.ownKeys(p)) try { Object.defineProperty(p, k, { value: () => { throw new TypeError("polluted"); } }); } catch {}
  globalThis.String = globalThis.RegExp = () => { throw new TypeError("polluted"); };
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
