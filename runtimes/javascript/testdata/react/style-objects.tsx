export default () => (
  <div>
    <p style={{ color: 'red', fontSize: 12, lineHeight: 1.5, marginTop: -4, zIndex: 3, opacity: 0, flexGrow: 1, WebkitLineClamp: 2, msTransform: 'none' } as any}>a</p>
    <p style={{ '--main-color': '#fff', '--n': 5, width: '50%', height: 0, padding: '', margin: null, border: undefined, backgroundImage: 'url("a.png")' } as any}>b</p>
    <p style={{ gridArea: '1 / 2', gridRowStart: 2, aspectRatio: 1.5, columns: 2, order: 1, fontWeight: 700, animationIterationCount: 3, transform: `translate(${1}px, 2px)` }}>c</p>
    <p style={{}}>d</p>
  </div>
);
