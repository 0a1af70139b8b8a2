# sys.excepthook, unraisablehook and warnings that raise.
# class: error
# expect: error ValueError: real

import sys, warnings


def bad(*args): raise TypeError('hook')


class A:
    def __del__(self): raise ValueError('in del')


def attack():
    sys.excepthook = sys.unraisablehook = sys.displayhook = warnings.showwarning = bad
    A()
    raise ValueError('real')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
