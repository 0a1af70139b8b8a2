# An awaitable that never ends.
# class: result
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

class A:
    def __await__(self):
        while True: yield


def attack(): return A()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
