// A character class of every other code point, ignoring case.
// class: regex
// expect: json false
function attack() {
  let s = "";
  for (let c = 0x100; c < 0x3000; c += 2) s += String.fromCharCode(c);
  return new RegExp("[" + s + "]+", "iu").test("a".repeat(1000));
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
