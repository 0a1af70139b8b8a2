# __notes__ and __traceback__ with what does not belong there.
# class: error
# expect: error ValueError

def attack():
    e = ValueError('x')
    e.__notes__ = [1, object(), 'n' * 10**6, None]
    raise e


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
