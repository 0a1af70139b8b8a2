# A regular expression of a hundred thousand groups inside each other.
# class: recursion
# expect: error RecursionError

import re


def attack(): return re.compile('(' * 100000 + ')' * 100000)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
