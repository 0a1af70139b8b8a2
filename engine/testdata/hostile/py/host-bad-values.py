# Arguments that cannot be sent.
# class: host
# expect: json 5

import spore


def attack():
    cycle = []
    cycle.append(cycle)
    failed = 0
    for arg in (cycle, object(), {"$bytes": 0}, float("nan"), "\ud800"):
        try: spore.call_sync("spore.sleep", arg)
        except (TypeError, ValueError): failed += 1
    return failed


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
