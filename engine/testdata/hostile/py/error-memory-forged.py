# MemoryError raised by the component while memory abounds.
# class: error
# expect: error MemoryError: not really

def attack(): raise MemoryError('not really')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
