import { useState, type ReactNode } from 'react';
function Mouse({ children }: { children: (at: { x: number; y: number }) => ReactNode }) {
  const [at] = useState({ x: 3, y: 4 });
  return <div>{children(at)}</div>;
}
const List = <T,>({ items, render }: { items: T[]; render: (item: T, i: number) => ReactNode }) => <ol>{items.map((x, i) => <li key={i}>{render(x, i)}</li>)}</ol>;
function withBorder<P extends object>(C: (p: P) => ReactNode) { return (p: P) => <div className="border"><C {...p} /></div>; }
const Boxed = withBorder(({ t }: { t: string }) => <i>{t}</i>);
export default () => <><Mouse>{({ x, y }) => <p>{x}:{y}</p>}</Mouse><List items={[1, 2]} render={(n, i) => n * i} /><Boxed t="in" /></>;
