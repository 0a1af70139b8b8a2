# One line of a megabyte, without an end.
# class: flood
# expect: limit Console

def attack(): print('x' * 10**6, end='')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
