// A result one level deeper than Go's decoder of JSON follows.
// class: json
// expect: limit Depth
function attack() {
  let a = [];
  for (let i = 0; i < 10000; i++) a = [a];
  return a;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
