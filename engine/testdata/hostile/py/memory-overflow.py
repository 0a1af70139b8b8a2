# Lengths that are not numbers a machine has.
# class: memory
# expect: error OverflowError
# limits: Memory=30MiB

def attack():
    return len('x' * 2**62)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
