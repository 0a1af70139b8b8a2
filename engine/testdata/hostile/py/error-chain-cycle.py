# Causes and contexts that run in a circle.
# class: error
# expect: error KeyError

def attack():
    a, b, c = KeyError(1), KeyError(2), KeyError(3)
    a.__cause__, b.__context__, c.__cause__ = b, c, a
    b.__cause__ = a
    raise a


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
