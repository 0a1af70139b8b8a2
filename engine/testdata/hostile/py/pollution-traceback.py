# traceback, linecache and types, which a report may need, never return.
# class: pollution
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import linecache, traceback, types


def endless(*args, **kw):
    while True: pass


def attack():
    traceback.TracebackException.__init__ = traceback.TracebackException.format = endless
    linecache.getline = types.TracebackType = endless
    raise ValueError("real")


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
