// Every object and string gets a toJSON; then an exception must be reported.
// class: pollution
// expect: error Error: real
function attack() {
  Object.prototype.toJSON = function () { return "forged"; };
  String.prototype.toJSON = Array.prototype.toJSON = Number.prototype.toJSON = () => ({ forged: 1 });
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
