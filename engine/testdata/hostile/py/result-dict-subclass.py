# A dictionary whose items never end.
# class: result
# expect: json {}

class D(dict):
    def items(self):
        while True: yield 'a', 1
    def __len__(self): return 10**9


def attack(): return D()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
