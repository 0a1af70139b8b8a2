# Top-level code that never ends and catches everything.
# class: compile
# expect: limit CompileTime
# compile:

while True:
    try:
        while True: pass
    except BaseException: pass

def render(p): return f"fine {p['n']}"
