# A function whose code says it is in another file, with an enormous name.
# class: error
# expect: error ZeroDivisionError

import types


def g(): 1 / 0


def attack():
    types.FunctionType(g.__code__.replace(co_name='n' * 10**5, co_qualname='q' * 10**6, co_filename='\ud800' * 10**5, co_firstlineno=2**31 - 1), {})()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
