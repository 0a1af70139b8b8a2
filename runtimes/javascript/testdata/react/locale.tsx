export default ({ at }: { at: number }) => {
  const d = new Date(at);
  return (
    <ul>
      <li>{(1234567.891).toLocaleString()}</li>
      <li>{(0.256).toLocaleString('en-US', { style: 'percent', maximumFractionDigits: 1 })}</li>
      <li>{new Intl.NumberFormat('en-US', { style: 'currency', currency: 'EUR' }).format(-1234.5)}</li>
      <li>{new Intl.NumberFormat('en', { notation: 'compact' }).format(1_250_000)}</li>
      <li>{d.toLocaleDateString('en-US', { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC' })}</li>
      <li>{d.toLocaleTimeString('en-US', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })}</li>
      <li>{d.toISOString()}</li>
      <li>{new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'day')}</li>
      <li>{new Intl.ListFormat('en').format(['a', 'b', 'c'])}</li>
      <li>{['b', 'ä', 'A', 'a', 'z10', 'z9'].sort((x, y) => x.localeCompare(y, undefined, { numeric: true })).join(' ')}</li>
    </ul>
  );
};
