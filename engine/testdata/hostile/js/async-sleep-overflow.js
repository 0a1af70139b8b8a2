// Sleeps on a fixed clock until it has passed the end of time.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=15ms
// fixed:
import { callSync } from "spore";
function attack() { for (;;) callSync("spore.sleep", { ms: 365 * 24 * 3600 * 1000 }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
