// A forged React element with props that are a proxy.
// class: result
// expect: error Error
function attack() {
  return { $$typeof: Symbol.for("react.transitional.element"), type: "b", key: null, ref: null, props: new Proxy({}, { get() { return {}; }, ownKeys: () => ["children"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: {} }) }) };
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
