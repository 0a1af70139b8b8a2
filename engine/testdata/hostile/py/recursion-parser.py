# eval of source with a hundred thousand brackets.
# class: recursion
# expect: error MemoryError

def attack(): return eval('(' * 100000 + ')' * 100000)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
