// The methods of Array.prototype are replaced; then an exception must be reported.
// class: pollution
// expect: error
function attack() {
  for (const k of Object.getOwnPropertyNames(Array.prototype)) if (k !== "length") Array.prototype[k] = () => { throw new TypeError("polluted"); };
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
