# A value whose text takes for ever.
# class: display
# expect: limit CallTime within 25ms
# limits: CallTime=200ms

from spore import display


class Value:
    def __repr__(self):
        while True:
            try: return "".join(iter(str, 1))
            except BaseException: pass


def attack():
    display(Value())


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
