# Backtracking in lookaheads and conditional groups.
# class: regex
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import re


def attack():
    return re.match(r'(?=((a|aa)+))(?:(a)?(?(3)a|aa))*c', 'a' * 60)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
