# ljust, center, expandtabs and zfill to the greatest length.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    return len('\t'.expandtabs(10**9)) + len('x'.zfill(10**9))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
