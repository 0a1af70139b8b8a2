# A call that still waits is taken back behind the event loop's back.
# class: host
# expect: trap ABI

import asyncio, spore


async def attack():
    waiting = asyncio.ensure_future(spore.call("spore.sleep", {"ms": 60_000}))
    await asyncio.sleep(0)
    for id in range(1, 5): spore.call_sync("spore.cancel", {"id": id})
    return await waiting


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
