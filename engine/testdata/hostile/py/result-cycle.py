# A value that contains itself.
# class: result
# expect: result ValueError

def attack():
    a = []
    a.append({'a': a})
    return a


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
