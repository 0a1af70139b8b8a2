# A memoryview whose buffer is released, cast and resized.
# class: result
# expect: result ValueError

def attack():
    b = bytearray(100)
    m = memoryview(b).cast('I')[::2]
    n = memoryview(b)
    n.release()
    return [m, n]


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
