// Catches the error of exhausted stack in every frame and recurses again: exponential work.
// class: swallow
// expect: limit CallTime within 25ms
// limits: CallTime=50ms
function attack() { try { attack(); } catch { attack(); } finally { try { attack(); } catch {} } }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
