// Array methods whose callbacks change the array under them.
// class: builtin
// expect: text survived
function attack() {
  const a = Array.from({ length: 1000 }, (_, i) => i);
  const evil = { valueOf() { a.length = 0; for (let i = 0; i < 10; i++) a.push({}); return 500; } };
  a.splice(evil, 400, ...a);
  a.map((x, i) => { a.length = i + 1; return x; });
  a.reduceRight((s, x) => { a.length = 0; return s; }, 0);
  a.concat(Object.defineProperty([1, 2, 3], 0, { get() { a.length = 1e5; return 1; } }));
  return a.slice(evil).length >= 0 && "survived";
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
