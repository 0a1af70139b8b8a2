# Decimal functions with a precision of a million digits.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=200ms Memory=60MiB

import decimal


def attack():
    decimal.getcontext().prec = 10**6
    return str(decimal.Decimal(2).ln().exp())


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
