const base = { id: 'x', className: 'base', title: 't' };
export default (props: Record<string, unknown>) => (
  <div {...base} className="late" {...props}>
    <p {...{ key: 'k', lang: 'en' } as any} dir="ltr" {...{ dir: 'rtl' }} />
    <br {...{}} />
  </div>
);
