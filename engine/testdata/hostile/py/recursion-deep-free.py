# A tuple of tuples half a million deep, dropped at once.
# class: recursion
# expect: text freed

def attack():
    a = ()
    for _ in range(500000): a = (a,)
    del a
    return 'freed'


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
