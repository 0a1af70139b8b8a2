# bytes and lists of tens of megabytes made and thrown away.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=100ms Memory=60MiB

def attack():
    while True: bytes(2 * 10**7); [0] * (5 * 10**6)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
