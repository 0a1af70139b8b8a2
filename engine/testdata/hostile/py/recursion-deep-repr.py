# repr of a list a hundred thousand deep.
# class: recursion
# expect: error RecursionError

def attack():
    a = []
    for _ in range(100000): a = [a]
    return repr(a)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
