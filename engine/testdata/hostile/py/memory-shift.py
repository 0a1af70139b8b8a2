# A shift by more than there are bits.
# class: memory
# expect: error OverflowError
# limits: Memory=30MiB

def attack():
    return 1 << (1 << 100)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
