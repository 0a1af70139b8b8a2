let calls = 0;

export function render() {
  return ++calls === 1 ? "ok" : "not fresh";
}
