# A string larger than the result may be.
# class: result
# expect: limit Output

def attack(): return 'é' * (600 << 10)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
