# Sequences that __index__ changes while they are being changed.
# class: corruption
# expect: text survived

import array, collections, io


class Evil:
    def __init__(self, f): self.f = f
    def __index__(self):
        try: self.f()
        except BufferError: pass
        return 1


def attack():
    b = bytearray(1000)
    for use in (lambda: b.__setitem__(500, Evil(b.clear)), lambda: b.__setitem__(Evil(b.clear), 1), lambda: b.insert(Evil(b.clear), 1),
                lambda: b.extend(Evil(b.clear) for _ in range(100)), lambda: b.pop(Evil(b.clear)), lambda: b.find(b"x", Evil(b.clear))):
        b[:] = bytes(1000)
        try: use()
        except (IndexError, ValueError, TypeError): pass
    a = array.array("B", bytes(1000))
    for use in (lambda: a.__setitem__(500, Evil(lambda: a.__delitem__(slice(None)))), lambda: a.insert(Evil(lambda: a.__delitem__(slice(None))), 1), lambda: a.extend([Evil(lambda: a.pop())] * 50)):
        a[:] = array.array("B", bytes(1000))
        try: use()
        except (IndexError, ValueError, TypeError): pass
    m = memoryview(b)
    try: m[Evil(m.release)] = Evil(m.release)
    except (ValueError, IndexError): pass
    f = io.BytesIO(bytes(1000))
    try: f.getbuffer()[Evil(lambda: f.__setstate__((b"", 0, {})))] = 1
    except (ValueError, IndexError): pass
    return "survived"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
