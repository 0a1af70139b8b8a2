// console.log of values that resist being shown.
// class: flood
// expect: text shown
function attack() {
  const bad = new Proxy(function () {}, { get() { throw 1; }, ownKeys() { throw 2; }, getPrototypeOf() { throw 3; }, apply() { throw 4; } });
  for (const v of [bad, { bad }, [bad], Object.create(null), Symbol("s"), 10n, new Map([[bad, bad]]), { get x() { throw 5; } }, { toString() { throw 6; } }, Object.defineProperty(new Error("e"), "stack", { get() { throw 7; } })])
    try { console.log(v, "%s %d %o %c", v); } catch {}
  return "shown";
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
