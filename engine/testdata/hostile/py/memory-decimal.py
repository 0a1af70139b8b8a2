# A number with four hundred million digits.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

import decimal


def attack():
    decimal.getcontext().prec = 400_000_000
    decimal.getcontext().Emax = 425_000_000
    return str(decimal.Decimal(1) / 3)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
