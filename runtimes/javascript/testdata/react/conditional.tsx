export default function Cart({ items, loading, error }: { items: string[]; loading: boolean; error?: string }) {
  if (loading) return <p>Loading…</p>;
  return (
    <section>
      {error && <p role="alert">{error}</p>}
      {items.length > 0 ? <p>{items.length} item{items.length !== 1 && 's'}</p> : <p>Empty</p>}
      {items.length && <b>shown</b>}
      {null ?? <i>fallback</i>}
    </section>
  );
}
