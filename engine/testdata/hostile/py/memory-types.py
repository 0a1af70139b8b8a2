# Classes without end.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    kept = []
    while True: kept.append(type('C', (), {str(len(kept)): 1}))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
