// Calls without a loop in JavaScript: mutual tail calls through bound functions and apply.
// class: loop
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() {
  const f = (n) => (n ? f.bind(null, n - 1).call() : 0);
  while (true) Reflect.apply(f, null, [50]);
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
