# Blocking host calls from a finalizer, a comparison and a serialiser.
# class: host
# expect: text survived

import spore


class A:
    def __del__(self): spore.call_sync("spore.sleep", {"ms": 0})
    def __lt__(self, other):
        spore.call_sync("spore.sleep", {"ms": 0, "list": [A() for _ in range(3)] and []})
        return True


def attack():
    sorted(A() for _ in range(100))
    return "survived"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
