# One bytearray larger than any memory.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    return len(bytearray(2**31 - 64))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
