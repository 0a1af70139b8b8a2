# Weak reference callbacks that drop the next weakly referenced object.
# class: recursion
# expect: text survived
# limits: Memory=60MiB

import weakref


class A: pass


def attack():
    chain = []
    for i in range(100000):
        o = A()
        o.ref = weakref.ref(chain[-1], lambda r: None) if chain else None
        chain.append(o)
    chain.clear()
    return 'survived'


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
