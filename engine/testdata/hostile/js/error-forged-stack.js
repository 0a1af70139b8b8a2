// A stack with positions that are no numbers a machine has.
// class: error
// expect: error Error: forged
function attack() {
  throw Object.assign(new Error("forged"), { stack: `    at a (js/error-forged-stack.js:${"9".repeat(30)}:${"9".repeat(400)})\n    at b (js/error-forged-stack.js:4294967296:-1)\n    at c (${"9".repeat(20)}:1:${"9".repeat(20)})` });
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
