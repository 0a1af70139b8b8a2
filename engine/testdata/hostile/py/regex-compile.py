# A pattern that is long to compile: a set of every other character, ignoring case.
# class: regex
# expect: limit CallTime within 25ms
# limits: CallTime=200ms Memory=60MiB

import re


def attack():
    while True:
        re.purge()
        re.compile('[' + ''.join(map(chr, range(256, 30000, 2))) + ']', re.I)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
