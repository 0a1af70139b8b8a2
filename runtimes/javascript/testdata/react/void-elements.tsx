export default () => (
  <div>
    <area /><base href="/" /><br /><col /><embed /><hr /><img alt="" /><input /><link rel="x" href="y" /><meta charSet="utf-8" /><source /><track /><wbr />
    <p /><span></span><a /><menuitem />
  </div>
);
