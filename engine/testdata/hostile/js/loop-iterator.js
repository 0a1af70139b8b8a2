// for-of over an iterator that never ends and whose return() never returns.
// class: loop
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
const endless = {
  [Symbol.iterator]() { return this; },
  next() { return { done: false, value: 1 }; },
  return() { for (;;); },
};
function attack() {
  for (const x of endless) if (x > 1) break; else { const [a] = endless; }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
