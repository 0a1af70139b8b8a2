// JSON.stringify is replaced; then a value must be returned.
// class: pollution
// expect: json {"a":[1]}
function attack() { JSON.stringify = () => "junk"; return { a: [1] }; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
