// Top-level code that makes functions of a hundred thousand statements and arguments, again and again.
// class: compile
// expect: limit CompileTime within 25ms
// compile:
for (;;) {
  Function('a++;'.repeat(1e5));
  try { Function('a,'.repeat(1e5) + 'b', ''); } catch {}
}
export const render = (p) => `fine ${p.n}`;
