# Finders and path hooks that never return.
# class: pollution
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import sys


class Endless:
    def find_spec(self, *args):
        while True: pass


def attack():
    sys.meta_path.insert(0, Endless())
    import nothing_like_this


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
