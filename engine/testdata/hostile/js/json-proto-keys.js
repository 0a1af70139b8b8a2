// The keys __proto__ and constructor, own and parsed, in a result.
// class: result
// expect: json {"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}
function attack() { return JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}'); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
