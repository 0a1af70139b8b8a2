# Sleeps by the thousand, all of them given up and begun again.
# class: host
# expect: limit HostCalls

import asyncio, spore


async def attack():
    while True:
        tasks = [asyncio.ensure_future(spore.call("spore.sleep", {"ms": 60_000})) for _ in range(100)]
        await asyncio.sleep(0)
        for t in tasks: t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
