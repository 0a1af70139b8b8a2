# Host calls started behind the event loop's back, which does not know their numbers.
# class: host
# expect: trap ABI

import _spore, asyncio


async def attack():
    for _ in range(100): _spore.request(0, "spore.sleep", {"ms": 0})
    await asyncio.sleep(1)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
