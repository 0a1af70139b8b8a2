# A loop with a trace function that loops.
# class: loop
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import sys


def tracer(*args):
    while True: pass


def attack():
    sys.settrace(tracer)
    (lambda: 1)()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
