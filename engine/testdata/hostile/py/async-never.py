# A future that nobody will set.
# class: async
# expect: stuck RuntimeError

import asyncio


async def attack(): await asyncio.get_running_loop().create_future()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
