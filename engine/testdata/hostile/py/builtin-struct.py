# struct, memoryview and array with formats that overflow.
# class: builtin
# expect: error error

import struct


def attack():
    return struct.calcsize('999999999999999999999s')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
