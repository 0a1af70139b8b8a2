// The key that stands for a buffer, forged.
// class: result
// expect: result TypeError
function attack() { return [{ $bytes: 4294967295 }, new Uint8Array(3)]; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
