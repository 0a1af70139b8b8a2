// An exception none of whose properties can be read.
// class: error
// expect: error
function attack() {
  throw new Proxy({}, { get() { throw 1; }, has() { throw 2; }, getPrototypeOf() { throw 3; }, ownKeys() { throw 4; }, getOwnPropertyDescriptor() { throw 5; } });
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
