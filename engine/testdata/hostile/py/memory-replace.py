# replace of nothing by a long text.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    return len(('x' * 10**6).replace('', 'y' * 10**3))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
