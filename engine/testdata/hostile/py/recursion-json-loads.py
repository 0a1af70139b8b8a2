# JSON text nested a million deep.
# class: recursion
# expect: error RecursionError

import json


def attack(): return json.loads('[' * 10**6)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
