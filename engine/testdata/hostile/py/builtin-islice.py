# An iterator of iterators in C that never gives anything.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import itertools


def attack():
    return next(filter(None, itertools.repeat(0)))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
