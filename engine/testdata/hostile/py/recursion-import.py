# __import__ replaced by a function that imports.
# class: recursion
# expect: error RecursionError

import builtins


def again(name, *args): import something


def attack():
    builtins.__import__ = again
    import something


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
