# A special method for getattr that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __getattr__(self, name): return getattr(self, name + 'x')


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
