# Forms that are endless, garbage, or too much.
# class: display
# expect: text done

from spore import display


class Value:
    def __init__(self, **methods):
        for name, f in methods.items(): setattr(self, name, f)


class Endless(dict):
    def items(self):
        while True: yield "text/html", "x"
    __iter__ = keys = items


class Liar(str):
    def __len__(self): return -1
    def __getitem__(self, i): return self * 100
    def encode(self, *args): return None


def again(*args, **k): return again(*args, **k)


def attack():
    display(Value(_repr_html_=again), Value(_repr_html_=lambda: "x" * (30 << 20)), Value(_repr_png_=lambda: bytearray(30 << 20)))
    display(Value(_repr_mimebundle_=lambda **k: Endless(a=1)), Value(_repr_mimebundle_=lambda **k: {f"a/{i}": Liar(i) for i in range(10**5)}))
    display(Value(_repr_json_=lambda: 10**10000), Value(_repr_latex_=lambda: Liar("\ud800")), Endless(), Liar("x"), Liar, display, again)
    cycle = []
    cycle.append({"a": cycle})
    display(cycle, Value(_repr_json_=lambda: cycle))
    return "done"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
