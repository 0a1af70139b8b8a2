# Host calls with all flags there are and are not.
# class: host
# expect: json 20

import _spore


def attack():
    n = 0
    for flags in (0, 1, 2, 3, 2**31, 2**32 - 1, 2**31 + 1, 4, 8, 16):
        for ms in (0, 1):
            _spore.request(flags, "spore.sleep", {"ms": ms})
            n += 1
    return n


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
