# str.translate with a table that is never done.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

def attack():
    class T:
        def __getitem__(self, i):
            while True: pass
    return 'abc'.translate(T())


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
