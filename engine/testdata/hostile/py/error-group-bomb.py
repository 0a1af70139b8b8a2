# Exception groups that share their members: small in memory, enormous as text.
# class: error
# expect: error ExceptionGroup
# limits: Memory=60MiB

def attack():
    e = ValueError('x')
    for _ in range(60): e = ExceptionGroup('g', [e] * 4)
    raise e


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
