# A power with a hundred billion digits.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    return (1 << 10**9) > 0


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
