# Arguments of sleep that are none.
# class: host
# expect: json ["bad_argument"]

import spore


def attack():
    codes = set()
    for arg in ("x", 1, [], {"ms": "1"}, {"ms": {}}, {"ms": True}, {"ms": 10**400}):
        try: spore.call_sync("spore.sleep", arg)
        except spore.HostError as e: codes.add(e.code)
    return codes


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
