# eval in eval in eval.
# class: recursion
# expect: error RecursionError

def attack(): return eval('attack()', {'attack': attack})


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
