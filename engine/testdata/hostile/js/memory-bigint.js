// A number of a billion bits.
// class: memory
// expect: error RangeError
// limits: Memory=24MiB
function attack() { return (1n << 1000000000n) > 0n; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
