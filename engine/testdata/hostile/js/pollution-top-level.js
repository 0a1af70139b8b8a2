// Pollution that is part of the image: it stays this component's own.
// class: pollution
// expect: error
Object.prototype.polluted = 1;
JSON.stringify = () => "junk";
Array.prototype.map = Array.prototype.push = null;
function attack() { throw new Error("real"); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
