# A dictionary of new strings.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    d = {}
    while True: d[str(len(d))] = [d]


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
