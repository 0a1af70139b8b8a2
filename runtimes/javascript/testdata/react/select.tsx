export default ({ value, many }: { value: string; many: string[] }) => (
  <form>
    <select defaultValue={value}><option value="a">A</option><option value="b">B</option><option>c</option></select>
    <select value="c" onChange={() => {}}><option>a</option><option>b</option><option>c</option></select>
    <select multiple defaultValue={many}>
      <optgroup label="G"><option value="1">one</option><option value="2" disabled>two</option></optgroup>
      <option value="3">th{'r'}ee{3}</option>
    </select>
    <select><option selected>x</option></select>
  </form>
);
