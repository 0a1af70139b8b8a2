// Arguments that cannot be sent: cycles, functions, big integers, the reserved key, getters that
// throw.
// class: host
// expect: json 5
import { callSync } from "spore";
function attack() {
  const cycle = []; cycle.push(cycle);
  let failed = 0;
  for (const arg of [cycle, 1n, { $bytes: 0 }, { get a() { throw new Error("no"); } }, new Proxy({}, { ownKeys() { throw new Error("no"); } })])
    try { callSync("spore.sleep", arg); } catch { failed++; }
  return failed;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
