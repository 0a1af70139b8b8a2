# sys.exit caught by a bare except, and __exit__ that swallows everything.
# class: swallow
# expect: text still here

import contextlib, sys


def attack():
    with contextlib.suppress(BaseException): sys.exit(1)
    try: raise SystemExit
    except: pass
    return "still here"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
