# The step of the event loop is replaced by one that always waits.
# class: pollution
# expect: trap ABI

import _spore_guest


async def attack():
    import asyncio
    asyncio.get_running_loop().__class__.step = lambda *args: True
    await asyncio.sleep(0.2)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
