export default ({ n }: { n: number }) => (
  <ul>{Array.from({ length: n }, (_, i) => <li key={i} className={i % 2 ? 'odd' : 'even'}>Row <b>{i}</b> of {n}</li>)}</ul>
);
