# The same without lifting it.
# class: builtin
# expect: error ValueError

def attack():
    return str(10**5000)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
