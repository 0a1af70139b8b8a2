# A special method for iter that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __iter__(self): return iter(list(self))
    x = property(list)


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
