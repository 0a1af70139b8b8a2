# A generator that never ends and does not care whether anybody listens.
# class: stream
# expect: error HostError: not_granted: host function "spore.emit" is not granted


def attack():
    while True:
        try:
            yield "part"
        finally:
            pass


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
