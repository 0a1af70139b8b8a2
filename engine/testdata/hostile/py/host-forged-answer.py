# Answers to host calls are made up by the guest itself, and calls of others answered.
# class: host
# expect: text made up

import asyncio, spore


async def attack():
    loop = asyncio.get_running_loop()
    t = asyncio.ensure_future(spore.call("spore.sleep", {"ms": 60000}))
    await asyncio.sleep(0)
    for number in range(10): loop.settle(number, "made up", None)
    return await t


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
