export default () => (
  <div>
    <label htmlFor="a" className="b" tabIndex={0} accessKey="k">L</label>
    <table cellPadding={2} cellSpacing={0}><tbody><tr><td colSpan={2} rowSpan={3}>1</td></tr></tbody></table>
    <input maxLength={5} minLength={1} inputMode="numeric" autoComplete="off" enterKeyHint="go" formNoValidate />
    <meta httpEquiv="refresh" content="5" />
    <img srcSet="a.png 1x, b.png 2x" crossOrigin="anonymous" referrerPolicy="no-referrer" fetchPriority="high" loading="lazy" alt="" />
    <iframe srcDoc="<p>hi</p>" allowFullScreen sandbox="allow-scripts" title="t" />
    <form acceptCharset="utf-8" encType="multipart/form-data" method="post" action="/save" />
    <ol start={3} reversed type="a"><li value={5}>x</li></ol>
    <time dateTime="2026-01-01">New Year</time>
    <p unknown="kept" onCustom={undefined} bad={(() => 1) as any}>custom</p>
  </div>
);
