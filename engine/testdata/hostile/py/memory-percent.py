# % and str.format with enormous precision.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    return len('%.1000000000f' % 1.5)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
