# The shortest loop there is.
# class: loop
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

def attack():
    while True: pass


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
