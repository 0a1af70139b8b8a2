# Names of host functions that nobody granted.
# class: host
# expect: json ["not_granted"]

import spore


def attack():
    codes = set()
    for name in ("", "db.query", "__import__", "spore", "spore.", "spore.Sleep", "spore.sleep\0", "../spore.sleep"):
        try: spore.call_sync(name, {})
        except spore.HostError as e: codes.add(e.code)
    return codes


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
