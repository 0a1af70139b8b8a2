# An asynchronous generator that cannot be closed.
# class: async
# expect: error RuntimeError

async def g():
    while True:
        try: yield 1
        finally: yield 2


async def attack():
    async for _ in g(): break
    it = g()
    await it.__anext__()
    await it.aclose()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
