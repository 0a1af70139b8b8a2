# Hooks and thresholds of the garbage collector.
# class: pollution
# expect: text survived

import gc


def attack():
    gc.callbacks.append(lambda *a: gc.collect())
    gc.set_threshold(1, 1, 1)
    gc.set_debug(0)
    kept = [[object()] for _ in range(1000)]
    gc.freeze(), gc.unfreeze(), gc.collect()
    return "survived"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
