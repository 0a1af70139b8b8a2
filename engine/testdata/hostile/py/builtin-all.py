# any and all over an endless cycle.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import itertools


def attack():
    return any(itertools.cycle([0]))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
