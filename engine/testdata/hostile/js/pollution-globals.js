// Every property of the global object is deleted.
// class: pollution
// expect: error
function attack() {
  const E = Error;
  for (const k of Reflect.ownKeys(globalThis)) try { delete globalThis[k]; } catch {}
  throw new E("real");
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
