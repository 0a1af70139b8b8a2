# A lone surrogate.
# class: result
# expect: result UnicodeError

def attack(): return ['\ud800']


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
