# re.sub whose replacement function calls re.sub.
# class: recursion
# expect: error RecursionError

import re


def r(m): return re.sub('a', r, 'a')


def attack(): return r(None)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
