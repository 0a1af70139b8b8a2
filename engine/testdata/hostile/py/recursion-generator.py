# Generators that delegate to themselves.
# class: recursion
# expect: error RecursionError

def g(): yield from g()


def attack(): return list(g())


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
