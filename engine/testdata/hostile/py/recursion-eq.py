# A special method for eq that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __eq__(self, other): return self == other
    x = property(lambda self: self == 1)


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
