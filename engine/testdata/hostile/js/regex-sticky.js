// A sticky expression whose lastIndex is an object that never converts.
// class: regex
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() {
  const r = /a/y;
  r.lastIndex = { valueOf() { for (;;); } };
  return r.exec("aaa");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
