// replaceAll whose result would be enormous.
// class: builtin
// expect: limit CallTime within 25ms
// limits: CallTime=100ms Memory=24MiB
function attack() { return "a".repeat(1e6).replaceAll("a", "$&".repeat(1e4)).length; }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
