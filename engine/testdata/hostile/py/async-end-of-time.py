# A sleep that ends later than a clock can show.
# class: async
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import asyncio


async def attack(): await asyncio.sleep(1e10)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
