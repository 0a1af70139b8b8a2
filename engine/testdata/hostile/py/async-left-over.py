# Tasks that are left when the call returns: they are gone with the guest.
# class: async
# expect: text done

import asyncio


async def forever():
    try:
        while True: await asyncio.sleep(0.001)
    finally:
        while True: pass


async def attack():
    tasks = [asyncio.ensure_future(forever()) for _ in range(3)]
    await asyncio.sleep(0)
    asyncio.get_running_loop().tasks = tasks
    return "done"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
