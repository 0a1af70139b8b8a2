# pow with a modulus of a hundred thousand bits.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

def attack():
    n = (1 << 10**5) - 1
    return pow(3, n, n)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
