// Sleeps for longer than there are numbers.
// class: async
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
import { call } from "spore";
async function attack() { await Promise.all([1e300, 1e18, 2 ** 63, 1e9].map((ms) => call("spore.sleep", { ms }))); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
