# A HostError with a number that no call has.
# class: error
# expect: error HostError

import spore


def attack(): raise spore.HostError('internal', 'forged', 2**40)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
