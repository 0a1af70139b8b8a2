# pickle with a memo index of two billion, and an opcode stream that recurses.
# class: corruption
# expect: error OverflowError
# limits: Memory=60MiB

import pickle


def attack():
    for b in (b"\x80\x04Nr\xff\xff\xff\x7f.", b"(" * 10**6 + b"t" * 10**6 + b".", b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f."):
        try: pickle.loads(b)
        except Exception as e: last = e
    raise last


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
