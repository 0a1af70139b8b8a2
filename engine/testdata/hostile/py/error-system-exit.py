# SystemExit with an object that cannot be shown.
# class: error
# expect: exit SystemExit

class Odd:
    def __repr__(self): raise SystemExit(self)


def attack(): raise SystemExit(Odd())


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
