// Lone surrogates as key, value and name of an error, which UTF-8 cannot express.
// class: result
// expect: json {"\ud800":["\udfff","a\ud800b"]}
function attack() { return { "\ud800": ["\udfff", "a\ud800b"] }; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
