# in, index and count over an endless range-like sequence.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

def attack():
    class S:
        def __getitem__(self, i): return i
    return -1 in S()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
