# A hundred thousand map objects inside each other: recursion in C alone.
# class: recursion
# expect: json [1]

def attack():
    a = iter([1])
    for _ in range(100000): a = map(abs, a)
    return list(a)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
