// Tens of thousands of host calls that are pending at once, all due now.
// class: host
// expect: limit HostCalls
// limits: Memory=60MiB
import { call } from "spore";
function attack() {
  setInterval(() => {}, 1);
  for (let i = 0; i < 40000; i++) call("spore.sleep", { ms: 0 });
  return new Promise(() => {});
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
