// Props that are nested deeply are made by the test of the engine; this parses text nested as deep as
// the parser takes, and returns it.
// class: json
// expect: result RangeError
function attack() {
  let depth = 1 << 20;
  for (;;) try { return JSON.parse("[".repeat(depth) + "]".repeat(depth)); } catch { depth >>= 1; }
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
