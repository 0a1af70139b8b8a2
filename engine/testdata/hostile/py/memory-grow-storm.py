# Thousands of growths and frees in changing sizes.
# class: memory
# expect: limit CallTime within 25ms
# limits: CallTime=200ms Memory=40MiB

def attack():
    r = 0
    while True:
        kept = [bytearray(65536 + (i * 7919 + r) % 65536) for i in range(50)]
        r += 1


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
