# An awaitable that yields what is no future.
# class: result
# expect: error RuntimeError

class A:
    def __await__(self): yield 7


def attack(): return A()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
