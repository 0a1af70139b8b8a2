# Every built-in is deleted.
# class: pollution
# expect: error

import builtins


def attack():
    E = ValueError
    vars(builtins).clear()
    raise E("real")


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
