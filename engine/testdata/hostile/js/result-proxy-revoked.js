// A proxy revoked while it is serialised.
// class: result
// expect: result TypeError
function attack() {
  const { proxy, revoke } = Proxy.revocable({ a: 1, get b() { revoke(); return 1; }, c: 2 }, {});
  return proxy;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
