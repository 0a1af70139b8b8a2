# The frames of the runtime's own callers, walked and changed.
# class: pollution
# expect: text seen

import gc, sys


def attack():
    f = sys._getframe().f_back
    while f:
        for k in list(f.f_locals):
            try: f.f_locals[k] = None
            except Exception: pass
        f = f.f_back
    for o in gc.get_objects():
        if type(o) is dict and "_spore" in o: o["_spore"] = None
    return "seen"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
