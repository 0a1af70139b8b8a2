# A string doubled until there is no memory.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    s = 'é'
    while True: s += s


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
