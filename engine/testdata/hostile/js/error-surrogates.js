// Lone surrogates and control characters in an error.
// class: error
// expect: error N�: m�
function attack() { throw Object.assign(new Error("m\ud800\u0001"), { name: "N\udc00" }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
