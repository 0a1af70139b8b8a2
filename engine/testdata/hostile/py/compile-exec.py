# Source that is made by the program and takes long to compile.
# class: compile
# expect: limit CompileTime within 25ms
# compile:

while True: compile('x = ' + '+'.join(['a'] * 2000), 'x', 'exec')

def render(p): return f"fine {p['n']}"
