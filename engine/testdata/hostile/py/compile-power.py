# A power that a compiler might compute.
# class: compile
# expect: text fine 7
# compile:

def never(): return 10 ** 10 ** 8 + (1 << 10**9) + 2 ** 2 ** 40

def render(p): return f"fine {p['n']}"
