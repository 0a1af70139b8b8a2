# sorted with a key function that sorts.
# class: recursion
# expect: error RecursionError

def key(x): return sorted([x], key=key)


def attack(): return key(1)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
