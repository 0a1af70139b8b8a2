# sys.modules is emptied and so are the modules themselves.
# class: pollution
# expect: error

import sys


def attack():
    d = {}
    for m in list(sys.modules.values()):
        if m is not sys: vars(m).clear()
    sys.modules.clear()
    return d["real"]


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
