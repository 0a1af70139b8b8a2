// Loops inside loops, each of them short.
// class: loop
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() {
  let n = 0;
  for (let i = 0; i < 1e6; i++) for (let j = 0; j < 1e6; j++) for (let k = 0; k < 1e6; k++) n += i ^ j ^ k;
  return n;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
