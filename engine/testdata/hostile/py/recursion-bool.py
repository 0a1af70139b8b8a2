# A special method for bool that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __bool__(self): return not self
    x = property(bool)


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
