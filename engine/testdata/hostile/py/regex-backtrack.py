# Exponential backtracking.
# class: regex
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import re


def attack():
    return re.match('(a+)+$', 'a' * 40 + 'b')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
