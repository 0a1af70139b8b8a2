// A list of half a million objects inside each other, dropped at once.
// class: recursion
// expect: text freed
// limits: Memory=60MiB
function attack() {
  let o = null;
  for (let i = 0; i < 3e5; i++) o = { o };
  o = null;
  return "freed";
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
