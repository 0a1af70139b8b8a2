export default function Form() {
  return (
    <form noValidate>
      <input type="checkbox" checked readOnly disabled={false} />
      <input type="text" required autoFocus value="x" readOnly />
      <button disabled type="submit" hidden={false}>Send</button>
      <details open><summary>More</summary></details>
      <video autoPlay loop muted controls playsInline />
      <a download>all</a><a download="file.txt">one</a>
      <div hidden inert contentEditable spellCheck={false} draggable />
      <script async defer src="x.js" />
    </form>
  );
}
