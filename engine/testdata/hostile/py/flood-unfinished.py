# Writes of nothing and of single bytes, for ever, without finishing a line.
# class: flood
# expect: limit Console

import sys


def attack():
    while True:
        sys.stdout.write('')
        sys.stderr.write('x')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
