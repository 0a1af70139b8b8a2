// A promise resolved by a promise resolved by a promise, two hundred thousand times.
// class: recursion
// expect: text end
// limits: Memory=60MiB
async function attack() {
  let p = Promise.resolve("end");
  for (let i = 0; i < 3e4; i++) { const q = p; p = (async () => q)(); }
  return p;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
