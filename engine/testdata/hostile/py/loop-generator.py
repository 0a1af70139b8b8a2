# A generator that yields when it is closed.
# class: loop
# expect: text closed
# limits: CallTime=60s

def g():
    while True:
        try: yield 1
        except GeneratorExit: yield 2


def attack():
    for _ in range(100):
        it = g()
        next(it)
        try: it.close()
        except RuntimeError: pass
        del it
    return "closed"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
