# A compressed file that holds itself without end.
# class: builtin
# expect: limit Memory
# limits: Memory=40MiB

import gzip, io


def attack():
    z = gzip.compress(bytes(10**6)) * 2000
    while True: len(gzip.GzipFile(fileobj=io.BytesIO(z)).read(10**9))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
