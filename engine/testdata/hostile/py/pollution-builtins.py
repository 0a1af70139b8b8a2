# Every built-in is replaced, and then an exception must be reported.
# class: pollution
# expect: error

import builtins


def bad(*args, **kw): raise TypeError("polluted")


def attack():
    E = ValueError
    for name in list(vars(builtins)):
        setattr(builtins, name, bad)
    raise E("real")


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
