# A special method for lt that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __lt__(self, other): return sorted([self, other])
    x = property(lambda self: sorted([self, self]))


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
