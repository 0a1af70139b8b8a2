// Everything that can be reached is frozen.
// class: pollution
// expect: error Error: real
function attack() {
  const seen = new Set(), queue = [globalThis];
  while (queue.length) {
    const o = queue.pop();
    if (Object(o) !== o || seen.has(o)) continue;
    seen.add(o);
    for (const k of Reflect.ownKeys(o)) { const d = Reflect.getOwnPropertyDescriptor(o, k); queue.push(d.value, d.get, d.set); }
    queue.push(Reflect.getPrototypeOf(o));
    try { Object.freeze(o); } catch {}
  }
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
