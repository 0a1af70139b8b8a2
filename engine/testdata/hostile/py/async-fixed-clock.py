# Sleeps on a fixed clock, where they take no time at all.
# class: async
# expect: limit CallTime within 25ms
# limits: CallTime=50ms
# fixed:

import asyncio, time


async def attack():
    while True:
        await asyncio.sleep(3600)
        time.time(), time.monotonic()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
