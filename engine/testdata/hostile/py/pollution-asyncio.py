# asyncio is patched, and then a coroutine must be run.
# class: pollution
# expect: text slept

import asyncio


async def attack():
    asyncio.ensure_future = asyncio.Future = asyncio.Task = asyncio.iscoroutine = asyncio.get_running_loop = None
    await asyncio.sleep(0)
    return "slept"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
