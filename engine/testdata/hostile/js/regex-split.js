// split with a pattern that matches nothing, on a long text, again and again.
// class: regex
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() {
  const s = "ab".repeat(1e5);
  for (;;) s.split(/(?:)/u).length;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
