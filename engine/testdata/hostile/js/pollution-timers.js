// Map, Date and Math are broken, and then a timer is set, which is never found again.
// class: pollution
// expect: stuck
// limits: CallTime=60s
async function attack() {
  const lie = () => NaN;
  Date.now = Math.min = Math.max = Math.trunc = lie;
  Map.prototype.values = Set.prototype.add = () => [];
  await new Promise((r) => setTimeout(r, 1));
  return "woke";
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
