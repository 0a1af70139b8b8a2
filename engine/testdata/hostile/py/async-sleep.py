# A sleep longer than the call may take.
# class: async
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import asyncio


async def attack(): await asyncio.sleep(60)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
