// A name that is an object: its toString must run once, not once to check and once to use.
// class: host
// expect: json ["not_granted",1]
import { callSync } from "spore";
function attack() {
  let n = 0;
  try { callSync({ toString() { return n++ ? "spore.sleep" : "db.query"; } }, { ms: 0 }); } catch (e) { return [e.code, n]; }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
