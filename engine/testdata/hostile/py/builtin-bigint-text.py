# Numbers with a million digits as text, after the limit for that was lifted.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=200ms Memory=60MiB

import sys


def attack():
    sys.set_int_max_str_digits(0)
    while True: int(str(10**200000))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
