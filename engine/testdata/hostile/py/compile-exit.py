# Top-level code that ends the interpreter.
# class: compile
# expect: exit SystemExit
# compile:

import sys
sys.exit(3)

def render(p): return f"fine {p['n']}"
