async function load(id: number) { await null; return { id, name: `Item ${id}` }; }
const View = ({ name }: { name: string }) => <b>{name}</b>;
export default async function Page({ ids }: { ids: number[] }) {
  const items = await Promise.all(ids.map(load));
  return <ul>{items.map((i) => <li key={i.id}><View name={i.name} /></li>)}</ul>;
}
