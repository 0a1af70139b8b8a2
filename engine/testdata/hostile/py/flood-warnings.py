# Warnings without end, each a new one.
# class: flood
# expect: limit Console

import warnings


def attack():
    i = 0
    while True:
        i += 1
        warnings.warn(str(i))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
