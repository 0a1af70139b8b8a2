// Proxies of proxies, a hundred thousand deep.
// class: recursion
// expect: error RangeError
function attack() {
  let p = {};
  for (let i = 0; i < 1e5; i++) p = new Proxy(p, {});
  return p.x;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
