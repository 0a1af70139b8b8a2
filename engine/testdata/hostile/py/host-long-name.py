# The longest name a host function can have.
# class: host
# expect: error HostError
# limits: Memory=60MiB

import spore


def attack(): return spore.call_sync("\x01" * 10**5, {})


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
