# A special method for repr that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __repr__(self): return repr(self)
    x = property(repr)


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
