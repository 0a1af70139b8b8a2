// The longest name a host function can have, of characters that take most space in an error.
// class: host
// expect: error HostError
// limits: Memory=60MiB
import { callSync } from "spore";
function attack() { callSync("\x01".repeat(8e6), {}); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
