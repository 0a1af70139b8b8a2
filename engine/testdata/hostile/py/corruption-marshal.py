# marshal and pickle given damaged bytes.
# class: corruption
# expect: any
# limits: CallTime=2s Memory=60MiB

import marshal, pickle, random


def attack():
    r = random.Random(1)
    good = [marshal.dumps(attack.__code__), pickle.dumps({"a": [1, (2, 3)], "b": {4}}, 5)]
    for _ in range(5000):
        for load, b in zip((marshal.loads, pickle.loads), good):
            b = bytearray(b)
            for _ in range(3): b[r.randrange(len(b))] = r.randrange(256)
            try: load(bytes(b))
            except MemoryError: pass
            except Exception: pass
    return "survived"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
