# Methods of built-in types, reached through what the garbage collector knows.
# class: pollution
# expect: error ValueError: real

import gc


def attack():
    for t in (str, dict, list, int, type, Exception, ValueError):
        d = gc.get_referents(t.__dict__)[0]
        if isinstance(d, dict):
            for k in list(d):
                if k not in ("__dict__", "__doc__"): d[k] = None
    raise ValueError("real")


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
