// Labelled continue through finally blocks.
// class: loop
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() {
  outer: for (;;) {
    try { throw 1; } catch { try { continue outer; } finally { continue outer; } } finally { continue outer; }
  }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
