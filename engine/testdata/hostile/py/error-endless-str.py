# An exception whose str never ends.
# class: error
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

class Odd(Exception):
    def __str__(self):
        while True: pass


def attack(): raise Odd()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
