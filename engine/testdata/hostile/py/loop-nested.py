# Loops inside loops, each of them short.
# class: loop
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

def attack():
    n = 0
    for i in range(10**6):
        for j in range(10**6):
            for k in range(10**6): n += i ^ j ^ k


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
