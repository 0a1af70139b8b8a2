type Props = { title: string; value: number; delta: number; tags: string[]; href: string };

export default function Card({ title, value, delta, tags, href }: Props) {
  const up = delta >= 0;
  return (
    <section className="card">
      <header>
        <h2>{title}</h2>
      </header>
      <p className="value">{value.toFixed(2)}</p>
      <p className={up ? "up" : "down"}>
        <span aria-hidden>{up ? "▲" : "▼"}</span> {Math.abs(delta)}%
      </p>
      <ul>
        {tags.map((tag) => (
          <li key={tag}>{tag}</li>
        ))}
      </ul>
      <a href={href}>Details</a>
    </section>
  );
}
