# Sorting a large list again and again.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import random


def attack():
    a = [random.random() for _ in range(10**4)]
    while True: sorted(a)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
