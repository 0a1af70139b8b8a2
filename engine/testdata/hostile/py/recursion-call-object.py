# An object whose __call__ is the object.
# class: recursion
# expect: error RecursionError

class A: pass


A.__call__ = A()


def attack(): return A()()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
