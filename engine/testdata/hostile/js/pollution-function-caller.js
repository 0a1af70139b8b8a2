// Function.prototype.call and apply are replaced; arguments.callee and caller are asked for.
// class: pollution
// expect: error TypeError
function attack() {
  Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw new Error("polluted"); };
  return (function () { return arguments.callee.caller; })();
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
