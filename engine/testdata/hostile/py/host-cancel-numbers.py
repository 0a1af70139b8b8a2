# Numbers of calls that are not pending, never were, or are none.
# class: host
# expect: text done

import asyncio, spore


async def attack():
    finished = await spore.call("spore.sleep", {"ms": 0})
    for arg in ({"id": 1}, {"id": 0}, {"id": 2**32 - 1}, {"id": 999}, {"id": 1}):
        spore.call_sync("spore.cancel", arg)
    for arg in ({"id": -1}, {"id": 2**64}, {"id": 1.5}, {"id": "1"}, {"id": [1]}, {}, [], "x" * 10**5, {"id": None}):
        try: spore.call_sync("spore.cancel", arg)
        except spore.HostError: pass
    await asyncio.sleep(0.001)
    return "done"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
