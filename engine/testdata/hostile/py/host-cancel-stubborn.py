# Tasks that take no cancellation for an answer.
# class: host
# expect: text 3

import asyncio, spore

count = 0


async def stubborn():
    global count
    while True:
        try: return await spore.call("spore.sleep", {"ms": 5 if count == 3 else 60_000})
        except BaseException: count += 1


async def attack():
    t = asyncio.ensure_future(stubborn())
    for _ in range(3):
        await asyncio.sleep(0)
        t.cancel()
        try: await asyncio.wait_for(asyncio.shield(t), 0.001)
        except TimeoutError: pass
    await t
    return str(count)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
