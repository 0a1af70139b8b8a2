# __class__ assignment and bases changed while instances exist.
# class: pollution
# expect: text survived

class A: pass
class B: pass
class C(A): pass
class D(B): pass


def attack():
    c = C()
    for _ in range(1000):
        c.__class__ = D if type(c) is C else C
        C.__bases__, D.__bases__ = D.__bases__, C.__bases__
    return "survived"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
