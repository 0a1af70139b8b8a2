export default ({ text }: { text: string }) => (
  <div title={text} data-json={JSON.stringify({ a: text })} style={{ fontFamily: '"Quoted", serif', content: '"<"' }}>
    {text}
    <textarea readOnly value={text} />
    <a href={`/search?q=${encodeURIComponent(text)}&x=1`}>{`'single' "double" <tag> & &amp;`}</a>
    <option value={text}>{text}</option>
  </div>
);
