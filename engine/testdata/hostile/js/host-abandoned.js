// Host calls that nobody waits for, when the call returns.
// class: host
// expect: text done
import { call } from "spore";
function attack() { for (let i = 0; i < 1000; i++) call("spore.sleep", { ms: 60000 }); return "done"; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
