# Iterators that never end, consumed by C code.
# class: loop
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import itertools


def attack(): return set(itertools.islice(itertools.repeat(1), 2**31 - 1))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
