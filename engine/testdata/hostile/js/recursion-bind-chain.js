// A hundred thousand bound functions around each other.
// class: recursion
// expect: limit Memory
function attack() {
  let f = () => 1;
  for (let i = 0; i < 1e5; i++) f = f.bind(null);
  return f();
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
