import { useMemo, useState } from 'react';
interface Order { id: string; customer: string; total: number; status: 'paid' | 'open' | 'void'; at: string }
const usd = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
const tone = { paid: 'bg-green-100 text-green-800', open: 'bg-yellow-100 text-yellow-800', void: 'bg-gray-100 text-gray-500' } as const;
const Card = ({ title, value, hint }: { title: string; value: string; hint?: string }) => (
  <div className="rounded-lg border bg-white p-4 shadow-sm"><h3 className="text-sm text-gray-500">{title}</h3><p className="mt-1 text-2xl font-semibold">{value}</p>{hint && <p className="text-xs text-gray-400">{hint}</p>}</div>
);
export default function Dashboard({ orders }: { orders: Order[] }) {
  const [filter, setFilter] = useState<'all' | Order['status']>('all');
  const shown = useMemo(() => orders.filter((o) => filter === 'all' || o.status === filter).toSorted((a, b) => b.total - a.total), [orders, filter]);
  const paid = orders.filter((o) => o.status === 'paid').reduce((s, o) => s + o.total, 0);
  return (
    <main className="mx-auto max-w-4xl space-y-6 p-6">
      <div className="grid grid-cols-3 gap-4">
        <Card title="Revenue" value={usd.format(paid)} hint={`${orders.length} orders`} />
        <Card title="Average" value={usd.format(paid / Math.max(1, orders.length))} />
        <Card title="Open" value={String(orders.filter((o) => o.status === 'open').length)} />
      </div>
      <nav>{(['all', 'paid', 'open', 'void'] as const).map((f) => <button key={f} aria-pressed={f === filter} onClick={() => setFilter(f)}>{f}</button>)}</nav>
      <table className="min-w-full">
        <thead><tr>{['Order', 'Customer', 'Total', 'Status', 'Date'].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
        <tbody>
          {shown.map((o) => (
            <tr key={o.id}><td>#{o.id}</td><td>{o.customer}</td><td>{usd.format(o.total)}</td><td><span className={`rounded px-2 ${tone[o.status]}`}>{o.status}</span></td><td>{new Date(o.at).toLocaleDateString('en-US', { month: 'short', day: 'numeric', year: 'numeric', timeZone: 'UTC' })}</td></tr>
          ))}
        </tbody>
      </table>
    </main>
  );
}
