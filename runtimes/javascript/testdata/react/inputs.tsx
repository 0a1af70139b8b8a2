export default () => (
  <form>
    <input defaultValue="d" /><input value="v" readOnly /><input type="checkbox" defaultChecked /><input type="radio" name="r" value="1" checked readOnly />
    <input type="number" value={0} readOnly min={-1} max={1e3} step={0.1} /><input type="range" value="" readOnly />
    <textarea defaultValue={'line\n<b>'} rows={3} /><textarea value={'\nleading'} readOnly />
    <button formAction="/x" name="n" value="v">go</button>
    <progress value={0.5} max={1} /><meter value={2} /><output htmlFor="a b">3</output>
  </form>
);
