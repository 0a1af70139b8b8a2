# A list that grows for ever.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    a = []
    while True: a.append([len(a)] * 1000)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
