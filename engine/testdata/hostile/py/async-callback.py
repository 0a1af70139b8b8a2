# A callback that raises SystemExit while the call waits.
# class: async
# expect: exit SystemExit

import asyncio, sys


async def attack():
    asyncio.get_running_loop().call_soon(sys.exit)
    await asyncio.sleep(1)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
