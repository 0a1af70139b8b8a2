# Buffers larger than the result may be.
# class: result
# expect: limit Output

def attack(): return [bytes(1 << 16)] * 20


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
