# Multiplication of numbers with hundreds of thousands of digits.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=100ms

def attack():
    n = (1 << 10**6) - 1
    while True: n * n


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
