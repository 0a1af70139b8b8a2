# Bytecode of random bytes.
# class: corruption
# expect: any
# limits: CallTime=2s

import random, types


def attack():
    r = random.Random(1)
    for _ in range(2000):
        code = bytes(r.randrange(256) for _ in range(40))
        try: types.FunctionType(attack.__code__.replace(co_code=code, co_stacksize=50, co_nlocals=3, co_varnames=("a", "b", "c")), globals())()
        except Exception: pass


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
