// An argument of twenty megabytes.
// class: host
// expect: limit Memory
import { callSync } from "spore";
function attack() { return callSync("spore.sleep", { ms: 0, junk: "x".repeat(2e7) }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
