# A task that cannot be cancelled.
# class: swallow
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import asyncio


async def stubborn():
    while True:
        try: await asyncio.sleep(0)
        except BaseException: pass


async def attack():
    t = asyncio.ensure_future(stubborn())
    await asyncio.sleep(0)
    t.cancel()
    await t


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
