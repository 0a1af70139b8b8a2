# A string whose methods lie about its length and encoding.
# class: result
# expect: text honest

class S(str):
    def __len__(self): return 10**9
    def encode(self, *a): return b'\xff' * 100
    def __str__(self): return 1


def attack(): return S('honest')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
