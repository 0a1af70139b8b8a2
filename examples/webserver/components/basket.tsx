// A basket of fruit, in which one has no price.

interface Item {
  name: string;
  count: number;
  price?: { amount: number; currency: string };
}

const items: Item[] = [
  { name: "apple", count: 4, price: { amount: 0.4, currency: "EUR" } },
  { name: "pear", count: 2 },
];

function Row({ item }: { item: Item }) {
  return (
    <li>
      {item.count} {item.name}: {(item.count * item.price!.amount).toFixed(2)}
    </li>
  );
}

export default function Basket() {
  return (
    <ul>
      {items.map((item) => (
        <Row key={item.name} item={item} />
      ))}
    </ul>
  );
}
