# settrace, setprofile and monitoring with functions that raise.
# class: pollution
# expect: error ValueError

import sys


def bad(*args): raise ValueError("in the trace function")


def attack():
    sys.setprofile(bad)
    sys.settrace(bad)
    len("x")


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
