# Tasks that each start two.
# class: async
# expect: limit CallTime within 25ms
# limits: CallTime=300ms Memory=60MiB

import asyncio


async def f():
    while True:
        asyncio.ensure_future(f())
        await asyncio.sleep(0)


async def attack(): await f()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
