export default function Typo({ name }: { name: string }) {
  return (
    <section>
      <h1>Hello, {name}</h2>
    </section>
  );
}
