// Host calls from toJSON and getters while a host call's argument is made.
// class: host
// expect: text inner 100
import { callSync } from "spore";
function attack() {
  let n = 0;
  const arg = { ms: 0, inner: { toJSON() { if (n++ < 99) callSync("spore.sleep", arg); return 1; } } };
  callSync("spore.sleep", arg);
  return "inner " + n;
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
