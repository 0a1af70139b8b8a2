# A traceback with line numbers that are not in any file.
# class: error
# expect: error ValueError: x

import sys, types


def attack():
    tb = None
    for line in (2**31 - 1, -5, 0):
        tb = types.TracebackType(tb, sys._getframe(), 2**31 - 2, line)
    raise ValueError('x').with_traceback(tb)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
