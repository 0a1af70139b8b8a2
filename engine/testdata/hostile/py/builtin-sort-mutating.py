# A list that changes while it is sorted.
# class: builtin
# expect: error ValueError

def attack():
    a = list(range(1000))
    def key(x):
        a.append(x)
        return -x
    a.sort(key=key)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
