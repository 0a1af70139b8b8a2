# An exception with fifty thousand contexts.
# class: error
# expect: error ValueError
# limits: Memory=60MiB

def attack():
    e = None
    for i in range(50000):
        n = ValueError(i)
        n.__context__, e = e, n
    raise e


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
