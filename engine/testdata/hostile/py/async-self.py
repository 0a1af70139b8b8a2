# A task that waits for itself.
# class: async
# expect: error RuntimeError

import asyncio


async def attack(): await asyncio.current_task()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
