export function render() {
  return "ok";
}
