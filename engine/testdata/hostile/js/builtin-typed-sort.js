// Sorting a typed array with a comparison that detaches its buffer.
// class: builtin
// expect: json [0,true]
function attack() {
  const a = new Float64Array(1000).map(Math.random);
  let n = 0;
  a.sort((x, y) => { if (n++ == 10) structuredClone(a.buffer, { transfer: [a.buffer] }); return x - y; });
  return [a.length, n > 10];
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
