# Integers that all have the same hash, as keys.
# class: hash
# expect: limit CallTime within 25ms
# limits: CallTime=100ms Memory=60MiB

def attack():
    p = 2**31 - 1
    return len({i * p: i for i in range(10**6)})


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
