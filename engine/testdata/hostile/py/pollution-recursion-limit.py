# The lowest recursion limit there can be.
# class: pollution
# expect: json [[[[[[[[[[[[1]]]]]]]]]]]]

import sys


def attack():
    sys.setrecursionlimit(10)
    return [[[[[[[[[[[[1]]]]]]]]]]]]


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
