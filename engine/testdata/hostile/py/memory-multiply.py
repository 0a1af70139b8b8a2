# Repetition of sequences to the greatest length.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    return len([None] * (2**29 - 1))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
