# Arrays, deques, sets and memoryviews that grow for ever.
# class: memory
# expect: limit Memory
# limits: Memory=30MiB

import array, collections


def attack():
    a, d, s = array.array('d'), collections.deque(), set()
    while True:
        a.extend([1.0] * 1000)
        d.append(len(d))
        s.add(len(s))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
