# The console's own function, with streams and bytes that are none.
# class: flood
# expect: limit Console

import _spore


def attack():
    while True:
        for stream in (-2**31, 2**31 - 1, 0, 1): _spore.emit(stream, b'\xff\n' * 10)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
