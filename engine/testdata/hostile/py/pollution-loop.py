# The event loop that runs the call is closed, stopped and patched by it.
# class: pollution
# expect: error RuntimeError

import asyncio


async def attack():
    loop = asyncio.get_running_loop()
    loop.stop()
    loop.close()
    loop.call_soon = loop.step = None
    await asyncio.sleep(0.001)
    return "woke"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
