# A list nested two hundred thousand deep, as the result.
# class: recursion
# expect: result RecursionError

def attack():
    a = []
    for _ in range(200000): a = [a]
    return a


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
