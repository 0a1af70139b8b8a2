# A special method for hash that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __hash__(self): return hash((self,))
    x = property(hash)


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
