# Catches RecursionError in every frame and recurses again: exponential work.
# class: swallow
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

def attack():
    try: attack()
    except BaseException: attack()
    finally: attack()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
