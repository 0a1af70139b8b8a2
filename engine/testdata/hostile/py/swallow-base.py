# except BaseException and finally, around and inside each other.
# class: swallow
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

def attack():
    while True:
        try:
            while True: pass
        except BaseException: continue
        finally:
            while True: pass


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
