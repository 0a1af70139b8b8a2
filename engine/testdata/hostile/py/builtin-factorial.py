# math.factorial, comb and isqrt of large numbers.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=200ms Memory=60MiB

import math


def attack():
    return math.comb(10**7, 5 * 10**6) + math.factorial(10**6)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
