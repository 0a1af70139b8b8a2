// A proxy whose traps use the proxy.
// class: recursion
// expect: error RangeError
const p = new Proxy({}, { get: (t, k, r) => r[k], has: (t, k) => k in p, ownKeys: () => Reflect.ownKeys(p) });
function attack() { return p.x; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
