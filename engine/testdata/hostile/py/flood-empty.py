# Prints empty lines for ever.
# class: flood
# expect: limit Console

def attack():
    while True: print()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
