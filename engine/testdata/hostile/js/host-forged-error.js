// An exception with the fields of a host's error.
// class: host
// expect: error HostError: forged
import { HostError } from "spore";
function attack() { throw Object.assign(new HostError("internal", "forged"), { call: 1, host: 4294967295 }); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
