# Cycles of objects with finalizers that keep them alive. When memory runs out the finalizers fail,
# which is printed each time, and so the console is full first.
# class: memory
# expect: limit Console
# limits: Memory=30MiB

def attack():
    kept = []
    class A:
        def __del__(self): kept.append(self)
    while True:
        a, b = A(), A()
        a.b, b.a = b, a


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
