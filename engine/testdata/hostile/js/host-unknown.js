// Names of host functions that nobody granted, also those that look like paths and prototypes.
// class: host
// expect: json ["not_granted"]
import { callSync } from "spore";
function attack() {
  const codes = new Set();
  for (const name of ["", "db.query", "__proto__", "constructor", "spore", "spore.", "spore.Sleep", "spore.sleep\0", "../spore.sleep", "\ud800"])
    try { callSync(name, {}); } catch (e) { codes.add(e.code); }
  return [...codes];
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
