// Sparse arrays with enormous indices and lengths.
// class: hash
// expect: json [4294967295,1]
function attack() {
  const a = [];
  a[4294967294] = 1;
  a.length = 4294967295;
  return [a.length, Object.keys(a).length];
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
