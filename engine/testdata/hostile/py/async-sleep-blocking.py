# time.sleep for longer than there are numbers.
# class: async
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import time


def attack():
    for s in (1e300, 2**62, 9e9):
        try: time.sleep(s)
        except (OverflowError, ValueError): pass


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
