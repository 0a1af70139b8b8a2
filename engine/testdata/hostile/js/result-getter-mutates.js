// A getter in the result that shrinks the array that is being serialised.
// class: result
// expect: json [1,null,null,null]
function attack() {
  const a = [{ toJSON() { a.length = 0; return 1; } }, 2, 3, 4];
  return a;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
