# An exception in a finalizer, which can only be printed, without end.
# class: error
# expect: limit Console

class A:
    def __del__(self): raise ValueError('x' * 100)


def attack():
    while True: A()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
