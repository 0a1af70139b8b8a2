# A chain of fifty thousand generators.
# class: recursion
# expect: error RecursionError

def g(it): yield from it


def attack():
    it = iter([1])
    for _ in range(50000): it = g(it)
    return next(it)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
