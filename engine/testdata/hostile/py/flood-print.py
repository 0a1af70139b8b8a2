# Prints for ever.
# class: flood
# expect: limit Console

def attack():
    while True: print('hello')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
