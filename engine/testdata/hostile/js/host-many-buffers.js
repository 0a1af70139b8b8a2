// An argument of very many empty buffers.
// class: host
// expect: error HostError
import { callSync } from "spore";
function attack() { return callSync("spore.sleep", { ms: 0, b: Array.from({ length: 50000 }, () => new Uint8Array(0)) }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
