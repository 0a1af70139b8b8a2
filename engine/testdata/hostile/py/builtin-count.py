# Searching long bytes for what is almost everywhere in them.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=100ms Memory=60MiB

def attack():
    s = b'a' * 10**7
    while True: s.count(b'a' * 1000 + b'b')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
