# Lone surrogates in the message and names of an error.
# class: error
# expect: error ValueError: a\ud800b

def attack(): raise ValueError('a\ud800b')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
