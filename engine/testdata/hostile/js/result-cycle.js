// A value that contains itself through Map, getter and array.
// class: result
// expect: result TypeError
function attack() { const o = { list: [] }; Object.defineProperty(o, "self", { enumerable: true, get: () => [o] }); o.list.push(o); return o; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
