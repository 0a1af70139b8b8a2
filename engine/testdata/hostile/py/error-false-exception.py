# Raising what is no exception, from a class whose __new__ returns something else.
# class: error
# expect: error TypeError

class E(Exception):
    def __new__(cls): return 7


def attack(): raise E


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
