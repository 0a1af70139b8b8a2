import { Fragment } from 'react';
const Rows = () => <><td>1</td><td>2</td></>;
export default ({ terms }: { terms: [string, string][] }) => (
  <>
    <dl>{terms.map(([t, d]) => <Fragment key={t}><dt>{t}</dt><dd>{d}</dd></Fragment>)}</dl>
    <table><tbody><tr><Rows /></tr></tbody></table>
    <></>
    tail
  </>
);
