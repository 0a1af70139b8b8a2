# copy.deepcopy and pickle of a deep list.
# class: recursion
# expect: error RecursionError

import copy, pickle


def attack():
    a = []
    for _ in range(100000): a = [a]
    try: pickle.dumps(a)
    except RecursionError: pass
    return copy.deepcopy(a)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
