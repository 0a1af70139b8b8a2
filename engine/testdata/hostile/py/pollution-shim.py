# The functions of the runtime's C module are called with what does not belong there.
# class: pollution
# expect: text survived

import _spore


def attack():
    for name in ("request", "settled", "emit", "walk", "tzdata", "start"):
        for args in ((), (None,), (2**40, "x"), (-1, "x", object()), (1, b"x"), (object(), -2**31, -2**31), (None, 2**31 - 1, -2**31), (b"", b"", b"", b"")):
            try: getattr(_spore, name)(*args)
            except (Exception): pass
    return "survived"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
