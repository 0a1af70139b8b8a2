# A special method for len that needs itself.
# class: recursion
# expect: error RecursionError

class A:
    def __len__(self): return len(self)
    x = property(len)


def attack(): return A().x


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
