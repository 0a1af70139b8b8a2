// A generator whose finally block yields for ever.
// class: loop
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function* g() { try { yield 1; } finally { for (;;) yield 2; } }
function attack() {
  for (;;) {
    const it = g();
    it.next();
    for (let i = 0; i < 1000; i++) it.return();
  }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
