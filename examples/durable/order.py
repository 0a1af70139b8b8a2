"""An order: a price, an approval that may take days, a payment, a delivery.

It is one function from top to bottom. Wherever it waits, the host may store it and go on
with it in another process.
"""

import asyncio
import spore


async def order(o):
    price = await spore.call("shop.price", {"item": o["item"], "count": o["count"]})
    question = f"{o['count']} × {o['item']} for {price['total']} €?"

    answer = await spore.call("person.ask", {"question": question})
    if not answer["yes"]:
        return "Not ordered: it was refused."
    receipt = await spore.call("bank.pay", {"amount": price["total"]})

    await asyncio.sleep(o["delivery"])
    return f"Delivered. Receipt {receipt['number']}."
