# Comparing two lists a hundred thousand deep.
# class: recursion
# expect: error RecursionError

def attack():
    a, b = [], []
    for _ in range(100000): a, b = [a], [b]
    return a == b


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
