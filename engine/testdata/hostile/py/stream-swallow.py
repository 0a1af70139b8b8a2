# A generator that does not let itself be closed.
# class: stream
# expect: error RuntimeError: async generator ignored GeneratorExit


async def attack():
    while True:
        try:
            yield "part"
        except BaseException:
            pass


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
