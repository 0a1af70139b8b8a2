# The hash of a tuple a hundred thousand deep.
# class: recursion
# expect: json true

def attack():
    a = ()
    for _ in range(100000): a = (a,)
    return hash(a) == hash(a)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
