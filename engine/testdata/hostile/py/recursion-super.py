# __new__, __init_subclass__ and __set_name__ that make classes.
# class: recursion
# expect: error RecursionError

class Base:
    def __init_subclass__(cls): type('C', (Base,), {})


def attack(): return type('C', (Base,), {})


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
