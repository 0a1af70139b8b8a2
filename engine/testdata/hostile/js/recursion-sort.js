// A comparison function that sorts.
// class: recursion
// expect: error RangeError
const cmp = () => { [3, 1, 2].sort(cmp); return 0; };
function attack() { return [2, 1].sort(cmp); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
