# A SyntaxError with attributes that are no positions, raised in a call.
# class: error
# expect: error SyntaxError

def attack():
    e = SyntaxError('x', ('f' * 10**5, 10**30, -10**30, 't' * 10**5, 2**70, 2**70))
    raise e


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
