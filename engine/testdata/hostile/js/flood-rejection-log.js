// Every rejection that is logged makes another one.
// class: flood
// expect: limit Console
// limits: Console=1KiB
function attack() {
  const again = () => ({ get message() { Promise.reject(again()); return "x"; }, toString() { return "x"; } });
  Promise.reject(again());
  return "fine";
}
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
