# Repeats of repeats with counts, searched at every place.
# class: regex
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import re


def attack():
    return re.search('(?:(?:a{1,100}){1,100}){1,100}b', 'a' * 10000)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
