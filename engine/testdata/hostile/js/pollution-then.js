// Promise.prototype.then and Promise itself are replaced before a promise is returned: the call meets
// what the component put there.
// class: pollution
// expect: error Error: resolve
async function attack() {
  Promise.prototype.then = () => { throw new Error("then"); };
  globalThis.Promise = class { static resolve() { throw new Error("resolve"); } };
  return "kept";
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
