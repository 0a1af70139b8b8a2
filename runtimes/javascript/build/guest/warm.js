// Renders once before the capture. What QuickJS makes on first use (built-in functions, shapes, atoms) is then part of
// the image that all components share, and not made anew, and written to fresh pages, in every start.
const React = require('react');
const { renderToStaticMarkup } = require('react-dom-server-legacy');

const { createElement: h, Fragment } = React;

const Theme = React.createContext('light');

class Boundary extends React.Component {
  state = { failed: false };
  static getDerivedStateFromError() { return { failed: true }; }
  render() { return this.state.failed ? null : this.props.children; }
}

const Input = React.forwardRef((props, ref) => h('input', { ...props, ref }));

const Row = React.memo(function Row({ row, onSelect }) {
  const theme = React.useContext(Theme);
  return h('tr', { className: `row ${theme}`, 'data-id': row.id, 'aria-selected': row.on, onClick: () => onSelect(row.id) },
    h('td', { style: { opacity: 0.5, lineHeight: 1, marginTop: 4 } }, row.name),
    h('td', null, row.value.toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/g, ',')),
    h('td', null, row.tags.map((t) => h('span', { key: t }, '#', t))));
});

function Page({ title, rows }) {
  const [query, setQuery] = React.useState(title);
  const [count, dispatch] = React.useReducer((n, by) => n + by, 0);
  const id = React.useId();
  const ref = React.useRef(null);
  React.useEffect(() => { ref.current?.focus(); }, []);
  React.useLayoutEffect(() => {}, []);
  const shown = React.useMemo(() => rows.filter((r) => r.name.toLowerCase().includes('')).sort((a, b) => b.value - a.value), [rows]);
  const select = React.useCallback((n) => dispatch(n), []);
  return h(Theme.Provider, { value: 'dark' },
    h('section', { id, hidden: false },
      h('h1', null, query, ' & "', count, '"'),
      h('label', { htmlFor: id }, 'Search'),
      h(Input, { ref, type: 'checkbox', defaultValue: query, disabled: true, onChange: (e) => setQuery(e.target.value) }),
      h('select', { defaultValue: 'b' }, h('option', { value: 'a' }, 'a'), h('option', { value: 'b' }, 'b')),
      h('textarea', { defaultValue: '<text>', readOnly: true }),
      h('svg', { viewBox: '0 0 9 9', strokeWidth: 2 }, h('path', { d: 'M0 0L9 9', fillRule: 'evenodd' })),
      h('p', { dangerouslySetInnerHTML: { __html: '<b>raw</b>' } }),
      h('a', { href: 'https://example.com/?a=1&b=2', target: '_blank' }, h('img', { src: 'a.png', alt: '' }), h('br')),
      h(React.Suspense, { fallback: h('i', null, '…') }, h(Boundary, null, h('ul', null, [1, 2].map((n) => h('li', { key: n }, n))))),
      h('table', null, h('tbody', null, shown.map((r) => h(Fragment, { key: r.id }, h(Row, { row: r, onSelect: select }))))),
      null, false, undefined, 0));
}

export function warm() {
  const props = JSON.parse(JSON.stringify({
    title: 'Überschrift',
    rows: [{ id: 1, name: 'A', value: 1234.5, tags: ['x', 'y'], on: true }, { id: 2, name: 'B', value: 2, tags: [], on: false }],
  }));
  for (let i = 0; i < 2; i++) renderToStaticMarkup(h(Page, props));
  (1234.5).toLocaleString('en-US', { style: 'currency', currency: 'USD' });
  (1234.5).toLocaleString();
  const date = new Date(0);
  date.toLocaleDateString('en-US', { year: 'numeric', month: 'short', day: 'numeric' });
  date.toLocaleDateString();
  date.toLocaleTimeString();
  new Intl.NumberFormat('en-US', { notation: 'compact' }).format(12345);
  new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'day');
  new Intl.PluralRules('en').select(1);
  ['b', 'a'].sort((a, b) => a.localeCompare(b));
  new URL('/a?b=c', 'https://example.com').searchParams.get('b');
  new TextDecoder().decode(new TextEncoder().encode('ä'));
  structuredClone({ a: [1, new Map([[1, 2]])] });
}
