# sys.stdout replaced, closed and deleted.
# class: flood
# expect: text quiet

import sys


def attack():
    sys.stdout.close()
    try: print('x')
    except ValueError: pass
    sys.stdout = object()
    try: print('x')
    except AttributeError: pass
    del sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    return 'quiet'


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
