// A React component that renders itself.
// class: recursion
// expect: limit Memory
// limits: Memory=20MiB
import { createElement } from "react";
const Self = () => createElement("b", null, createElement(Self));
function attack() { return createElement(Self); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
