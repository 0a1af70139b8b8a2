// What the report of an error may use never returns.
// class: pollution
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() {
  const endless = () => { for (;;); };
  for (const p of [String.prototype, RegExp.prototype, Array.prototype, Map.prototype, Object]) for (const k of Reflect.ownKeys(p)) try { p[k] = endless; } catch {}
  JSON.stringify = endless;
  String.prototype.replace("a");
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
