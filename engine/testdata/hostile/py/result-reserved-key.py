# The key that stands for a buffer, forged.
# class: result
# expect: result ValueError

def attack(): return [{'$bytes': 4294967295}, b'abc']


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
