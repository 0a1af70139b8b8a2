// A rope of strings that is doubled sixty times and never flattened, and then is.
// class: memory
// expect: error InternalError
// limits: Memory=24MiB
function attack() {
  let s = "x".repeat(10000);
  for (let i = 0; i < 60; i++) s = s + s;
  return s.indexOf("y");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
