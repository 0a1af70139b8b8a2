# MemoryError is caught at the limit, and then another exception is raised: it is that one that
# counts.
# class: memory
# expect: error ValueError
# limits: Memory=30MiB

def attack():
    kept = []
    try:
        while True: kept.append(bytearray(1 << 16))
    except MemoryError: kept.clear()
    raise ValueError('after')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
