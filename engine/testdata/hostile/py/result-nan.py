# NaN deep inside.
# class: result
# expect: result ValueError

def attack(): return {'a': [1, {'b': float('nan')}]}


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
