# The same after the recursion limit was raised to ten million: frames fill the memory.
# class: recursion
# expect: limit Memory
# limits: Memory=40MiB

import sys


def deep(n): return deep(n + 1) + 1


def attack():
    sys.setrecursionlimit(10**7)
    return deep(0)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
