# Nine thousand host calls that are pending at once, all due now.
# class: host
# expect: limit CallTime within 25ms
# limits: CallTime=600ms Memory=60MiB

import asyncio, spore


async def attack():
    calls = [asyncio.ensure_future(spore.call("spore.sleep", {"ms": 0})) for _ in range(9000)]
    await asyncio.gather(*calls)
    await asyncio.sleep(60)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
