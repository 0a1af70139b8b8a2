// JSON.stringify and JSON.parse are replaced; then an exception must be reported.
// class: pollution
// expect: error Error: real
function attack() {
  JSON.stringify = () => '{"kind":"memory"}';
  JSON.parse = () => 1;
  throw new Error("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
