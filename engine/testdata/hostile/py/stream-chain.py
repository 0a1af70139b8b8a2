# A generator that returns a generator that returns a generator, and so on.
# class: stream
# expect: error TypeError


def attack():
    return attack()
    yield


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
