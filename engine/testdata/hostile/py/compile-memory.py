# Top-level code that takes all memory.
# class: compile
# expect: limit Memory
# compile:

a = []
while True: a.append(bytearray(1 << 20))

def render(p): return f"fine {p['n']}"
