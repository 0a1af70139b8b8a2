# Top-level code that raises what cannot be shown.
# class: compile
# expect: error Odd
# compile:

class Odd(BaseException):
    def __str__(self): raise self


raise Odd

def render(p): return f"fine {p['n']}"
