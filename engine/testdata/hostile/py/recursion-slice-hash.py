# The hash of a slice of slices, which is taken three times at each level: calls without a loop, in native code.
# class: recursion
# expect: limit CallTime within 25ms
# limits: CallTime=50ms


def attack():
    s = slice(1, 2, 3)
    for _ in range(40): s = slice(s, s, s)
    return hash(s)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
