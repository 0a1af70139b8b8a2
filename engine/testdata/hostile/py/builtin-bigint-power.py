# A power with millions of digits.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=200ms Memory=60MiB

def attack():
    return 3 ** (10**9) > 0


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
