# The encoder of results is replaced.
# class: pollution
# expect: result ValueError

import _spore_guest


def attack():
    _spore_guest.encode = lambda *a: ("junk",)
    _spore_guest.buffers.extend([b"x"] * 10)
    return {"a": 1}


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
