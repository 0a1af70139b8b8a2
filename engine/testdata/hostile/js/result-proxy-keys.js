// A proxy that reports duplicate and wrong keys.
// class: result
// expect: result TypeError
function attack() { return new Proxy({}, { ownKeys: () => ["a", "a", "b"], getOwnPropertyDescriptor: () => ({ value: 1, configurable: true, enumerable: true }) }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
