# Brackets that are opened and not closed, for which the parser tries every rule.
# class: compile
# expect: source
# compile:

x = ({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[({[

def render(p): return f"fine {p['n']}"
