# A special method for str-format that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __format__(self, spec): return f'{self:{self}}'
    x = property(lambda self: f'{self}')


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
