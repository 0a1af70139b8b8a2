# Objects with a constant hash and an expensive comparison, as keys.
# class: hash
# expect: limit CallTime within 25ms
# limits: CallTime=100ms

def attack():
    class K:
        def __hash__(self): return 1
        def __eq__(self, other): return sum(range(1000)) < 0
    return len({K() for _ in range(10**5)})


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
