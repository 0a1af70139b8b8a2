# Top-level code that never ends and catches everything.
# class: compile
# expect: limit CompileTime within 25ms
# compile:

while True:
    try:
        while True: pass
    except BaseException: pass

def render(p): return f"fine {p['n']}"
