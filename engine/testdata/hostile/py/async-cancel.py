# A task that cancels itself and everything else.
# class: async
# expect: error CancelledError

import asyncio


async def attack():
    for t in asyncio.all_tasks(): t.cancel()
    await asyncio.sleep(0)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
