# itertools.product and combinations of more than fits.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

import itertools


def attack():
    return len(list(itertools.product(range(1000), repeat=5)))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
