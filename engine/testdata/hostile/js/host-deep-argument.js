// An argument nested as deep as it can be.
// class: host
// expect: json ["bad_argument"]
import { callSync } from "spore";
function attack() {
  let a = [];
  for (let i = 0; i < 9995; i++) a = [a];
  try { return callSync("spore.sleep", a); } catch (e) { return [e.code ?? e.name]; }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
