# A dataclass with a property that never ends.
# class: result
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import dataclasses


@dataclasses.dataclass
class A:
    x: int
    def __getattribute__(self, name):
        while True: pass


def attack(): return [A.__new__(A)]


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
