# asyncio.run inside the loop that runs the call.
# class: async
# expect: error RuntimeError

import asyncio


async def attack(): return asyncio.run(asyncio.sleep(0))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
