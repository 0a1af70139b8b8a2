# Parts in a loop, although the host refuses every one of them.
# class: stream
# expect: limit HostCalls

import spore


def attack():
    while True:
        try: spore.emit_sync("x" * 1000)
        except spore.HostError: pass


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
