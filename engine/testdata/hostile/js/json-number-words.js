// NaN, infinities, -0 and numbers that JSON cannot tell apart.
// class: result
// expect: json [null,null,null,0,1e+308,5e-324]
function attack() { return [NaN, Infinity, -Infinity, -0, 1e308, 5e-324]; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
