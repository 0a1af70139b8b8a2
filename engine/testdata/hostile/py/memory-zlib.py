# A small compressed text that unpacks to a gigabyte.
# class: memory
# expect: limit Memory
# limits: Memory=40MiB

import zlib


def attack():
    c = zlib.compressobj(9)
    z = b''.join(c.compress(bytes(1 << 20)) for _ in range(100)) + c.flush()
    return len(zlib.decompress(z))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
