// Typed array methods during which the buffer shrinks to nothing and grows again.
// class: builtin
// expect: json 0
function attack() {
  const b = new ArrayBuffer(4096, { maxByteLength: 8192 }), a = new Uint8Array(b);
  const shrink = { valueOf() { b.resize(0); b.resize(8192); b.resize(16); return 0; } };
  a.fill(shrink, shrink, 4096);
  b.resize(4096);
  a.copyWithin(0, shrink, 4096);
  b.resize(4096);
  a.set({ length: 4000, get 0() { b.resize(8); return 1; } });
  b.resize(4096);
  a.subarray(0, 4000).indexOf(1, shrink);
  a.with(0, 1).toSorted(() => { b.resize(0); return 0; });
  return a.length;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
