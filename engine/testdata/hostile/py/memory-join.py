# join of very many long strings.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    return len(('é' * 10**5).join(['x'] * 10**4))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
