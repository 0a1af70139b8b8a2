# A function that calls itself.
# class: recursion
# expect: error RecursionError

def attack(): return attack() + 1


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
