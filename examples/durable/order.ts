// An order: a price, an approval that may take days, a payment, a delivery.
//
// It is one function from top to bottom. Wherever it waits, the host may store it and go on
// with it in another process.

import { call } from "spore";

export async function order(o: { item: string; count: number; delivery: number }) {
  const price = await call("shop.price", { item: o.item, count: o.count });
  const question = `${o.count} × ${o.item} for ${price.total} €?`;

  const answer = await call("person.ask", { question });
  if (!answer.yes) {
    return "Not ordered: it was refused.";
  }
  const receipt = await call("bank.pay", { amount: price.total });

  await new Promise((done) => setTimeout(done, o.delivery * 1000));
  return `Delivered. Receipt ${receipt.number}.`;
}
