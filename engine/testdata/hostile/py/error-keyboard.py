# KeyboardInterrupt and GeneratorExit, which no handler is meant for.
# class: error
# expect: error KeyboardInterrupt

def attack(): raise KeyboardInterrupt


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
