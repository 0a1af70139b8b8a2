# Tasks in the background that never rest, while the call itself has its result.
# class: async
# expect: text done
# limits: CallTime=60s

import asyncio


async def forever():
    while True: await asyncio.sleep(0)


async def attack():
    asyncio.get_running_loop().tasks = [asyncio.ensure_future(forever())]
    await asyncio.sleep(0)
    return "done"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
