# Numbers whose text is no number.
# class: result
# expect: json [7,1.5,true]

class I(int):
    def __repr__(self): return ']}'
    __str__ = __repr__


class F(float):
    __repr__ = __str__ = I.__repr__


def attack(): return [I(7), F(1.5), True]


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
