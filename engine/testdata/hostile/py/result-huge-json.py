# Shared structure that is small in memory and enormous as JSON.
# class: result
# expect: limit Memory
# limits: Memory=30MiB

def attack():
    a = ['x']
    for _ in range(40): a = [a, a]
    return a


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
