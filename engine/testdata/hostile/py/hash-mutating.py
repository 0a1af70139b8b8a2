# A key whose comparison changes the dictionary it is looked up in.
# class: hash
# expect: text survived
# limits: CallTime=60s

def attack():
    d = {}
    class K:
        def __hash__(self): return 1
        def __eq__(self, other):
            d.clear()
            for i in range(50): d[i] = K.__new__(K) if i == 1 else i
            return False
    d[K()] = 1
    for _ in range(100):
        try: d[K()] = 2
        except (RecursionError, RuntimeError): pass
    return 'survived'


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
