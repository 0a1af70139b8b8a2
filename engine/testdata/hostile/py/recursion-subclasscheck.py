# __subclasscheck__ and __instancecheck__ of a metaclass that ask themselves.
# class: recursion
# expect: error RecursionError

class M(type):
    def __instancecheck__(cls, o): return isinstance(o, cls)
    __subclasscheck__ = __instancecheck__


class A(metaclass=M): pass


def attack(): return isinstance(1, A)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
