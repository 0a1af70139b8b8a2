# os._exit: the interpreter ends at once.
# class: error
# expect: exit Exit

import os


def attack(): os._exit(0)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
