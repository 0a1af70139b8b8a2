# Generators that yield generators, and return them.
# class: stream
# expect: error TypeError


def attack():
    return attack()
    yield


def render(p):
    return endless(0) if p["attack"] else f"fine {p['n']}"


async def endless(n):
    yield attack()
    yield endless(n + 1)
