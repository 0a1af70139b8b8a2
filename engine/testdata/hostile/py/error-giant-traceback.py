# A traceback of a hundred thousand entries.
# class: error
# expect: error ValueError
# limits: Memory=60MiB

import sys


def deep(n):
    if n == 0: raise ValueError('end')
    deep(n - 1)


def attack():
    sys.setrecursionlimit(10**6)
    deep(50000)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
