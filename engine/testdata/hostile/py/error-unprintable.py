# An exception whose str and repr raise itself.
# class: error
# expect: error Odd: <str() of Odd failed>

class Odd(Exception):
    def __str__(self): raise self
    __repr__ = __str__


def attack(): raise Odd()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
