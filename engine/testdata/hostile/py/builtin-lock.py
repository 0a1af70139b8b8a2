# Waiting for a lock that nobody can release. The interpreter ends, as LIMITS.md says.
# class: builtin
# expect: trap Trap

import threading


def attack():
    l = threading.Lock()
    l.acquire()
    l.acquire()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
