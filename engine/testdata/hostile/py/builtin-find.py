# Searching a long text for a long needle.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=100ms

def attack():
    s, n = 'a' * 10**6, 'a' * 500000 + 'b'
    while True: s.find(n) + s.rfind(n)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
