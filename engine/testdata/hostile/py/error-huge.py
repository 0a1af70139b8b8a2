# An exception with a message of megabytes, notes of megabytes and a qualified name as long.
# class: error
# expect: error Huge

class Huge(Exception): pass


Huge.__qualname__ = Huge.__module__ = 'n' * 10**6


def attack(): raise Huge('é' * 10**6)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
