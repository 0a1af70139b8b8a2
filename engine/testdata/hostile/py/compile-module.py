# The component's own module is taken away while it is loaded.
# class: compile
# expect: error ModuleNotFoundError
# compile:

import sys
del sys.modules['component']

def render(p): return f"fine {p['n']}"
