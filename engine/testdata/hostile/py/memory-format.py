# A format whose width is enormous.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    return len(f'{1:>1000000000}')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
