# An argument of a megabyte.
# class: host
# expect: error HostError
# limits: Memory=60MiB

import spore


def attack(): return spore.call_sync("spore.sleep", {"ms": 0, "junk": "x" * 10**6})


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
