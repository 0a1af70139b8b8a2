// React and its renderer are changed, through what require returns.
// class: pollution
// expect: error Error
function attack() {
  for (const name of ["react", "react/jsx-runtime", "react-dom", "react-dom/server", "spore"]) {
    const m = require(name);
    for (const k of Object.keys(m)) try { m[k] = null; } catch {}
    try { Object.setPrototypeOf(m, new Proxy({}, { get() { throw new TypeError("polluted"); } })); } catch {}
  }
  return { $$typeof: Symbol.for("react.transitional.element"), type: "b", key: null, ref: null, props: { children: [{}] } };
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
