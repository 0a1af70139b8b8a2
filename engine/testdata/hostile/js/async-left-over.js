// Timers that are left when the call returns: they are gone with the guest.
// class: async
// expect: text done
function attack() { for (let i = 0; i < 1000; i++) setTimeout(() => { for (;;); }, 0); return "done"; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
