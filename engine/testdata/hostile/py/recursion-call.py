# A special method for call that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __call__(self): return self()
    x = property(lambda self: self())


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
