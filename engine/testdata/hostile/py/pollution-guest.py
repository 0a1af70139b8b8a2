# The part of the runtime that is written in Python is rewritten by what it runs. It may forge its own
# answers, and no more.
# class: pollution
# expect: trap ABI

import _spore_guest


def attack():
    _spore_guest._error = lambda *a, **k: "x" * 100000
    raise ValueError("real")


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
