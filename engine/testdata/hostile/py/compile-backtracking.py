# Patterns and with statements that the parser tries in two ways at each level.
# class: compile
# expect: source
# compile:

with (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as (a, (b as c)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))):
    pass

def render(p): return f"fine {p['n']}"
