export default ({ html }: { html: string }) => (
  <article>
    <div dangerouslySetInnerHTML={{ __html: html }} />
    <style dangerouslySetInnerHTML={{ __html: 'a > b { content: "<"; }' }} />
    <script type="application/ld+json" dangerouslySetInnerHTML={{ __html: JSON.stringify({ a: '</script>' }).replace(/</g, '\\u003c') }} />
    <p>{html}</p>
  </article>
);
