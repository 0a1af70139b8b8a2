# Finalizers that make objects with finalizers, each inside the other.
# class: recursion
# expect: text survived
# limits: Console=64KiB

class A:
    def __init__(self, n): self.n = n
    def __del__(self): A(self.n + 1)


def attack():
    A(0)
    return 'survived'


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
