// Catches the error of exhausted memory and asks for more.
// class: swallow
// expect: limit CallTime within 25ms
// limits: CallTime=300ms Memory=24MiB
function attack() {
  const kept = [];
  for (;;) try { kept.push(new Uint8Array(1 << 20).fill(1)); } catch {}
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
