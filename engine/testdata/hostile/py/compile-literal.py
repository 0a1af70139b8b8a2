# A literal with ten thousand elements, made by the program.
# class: compile
# expect: text fine 7
# compile:

exec('x = [' + '1,' * 10000 + ']')
exec('y = {' + '1:2,' * 5000 + '}')

def render(p): return f"fine {p['n']}"
