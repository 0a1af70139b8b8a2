# An exception whose str is no string, of a class whose name is none either.
# class: error
# expect: error Odd: <str() of Odd failed>

class Odd(Exception):
    def __str__(self): return 7


def attack(): raise Odd()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
