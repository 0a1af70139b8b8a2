// fill of an array-like that is as long as a number can say.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=50ms Memory=60MiB
// What it sets is thrown away: a fast machine would come to the limit on memory first.
const sink = new Proxy({ length: Number.MAX_SAFE_INTEGER }, { set: () => true });
function attack() { return Array.prototype.fill.call(sink, 0); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
