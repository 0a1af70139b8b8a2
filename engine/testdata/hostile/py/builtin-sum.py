# The sum of a trillion numbers, in C.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

def attack():
    return sum(range(10**12))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
