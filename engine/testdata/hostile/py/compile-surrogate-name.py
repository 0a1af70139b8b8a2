# Names and strings at the edge of what source may hold.
# class: compile
# expect: text fine 7
# compile:

ſ = '\ud800'
ª = 1
assert a == 1

def render(p): return f"fine {p['n']}"
