// Arguments of sleep that are none.
// class: host
// expect: json ["bad_argument"]
import { callSync } from "spore";
function attack() {
  const codes = new Set();
  for (const arg of ["x", 1, [], { ms: "1" }, { ms: {} }, { ms: [1] }, { ms: true }])
    try { callSync("spore.sleep", arg); } catch (e) { codes.add(e.code); }
  return [...codes];
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
