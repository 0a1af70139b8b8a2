# Repetitions that a compiler might compute.
# class: compile
# expect: text fine 7
# compile:

def never(): return 'x' * 10**9, (0,) * 10**9, b'y' * 2**31, '%1000000000d' % 1, 'a' * 4096 * 4096 * 4096

def render(p): return f"fine {p['n']}"
