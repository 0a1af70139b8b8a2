# A special method for index that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __index__(self): return [1][self]
    x = property(lambda self: [1][self])


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
