// Buffers larger than the result may be.
// class: result
// expect: limit Output
function attack() { return Array.from({ length: 20 }, () => new Uint8Array(1 << 16)); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
