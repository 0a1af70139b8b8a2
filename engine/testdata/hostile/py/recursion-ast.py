# ast.literal_eval and compile of deeply nested source.
# class: recursion
# expect: error MemoryError

import ast


def attack():
    try: ast.literal_eval('-' * 100000 + '1')
    except (MemoryError, RecursionError): pass
    return eval('not ' * 100000 + '1')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
