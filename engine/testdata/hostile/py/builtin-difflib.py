# Comparing texts in quadratic time.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=100ms

import difflib


def attack():
    return difflib.SequenceMatcher(None, 'ab' * 5000, 'ba' * 5000, False).ratio()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
