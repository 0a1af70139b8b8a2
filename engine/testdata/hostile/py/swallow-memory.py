# Catches MemoryError and asks for more.
# class: swallow
# expect: limit CallTime within 25ms
# limits: CallTime=200ms Memory=40MiB

def attack():
    kept = []
    while True:
        try: kept.append(bytearray(1 << 20))
        except BaseException: pass


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
