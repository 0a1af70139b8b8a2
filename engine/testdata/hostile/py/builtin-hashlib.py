# pbkdf2 with a billion rounds.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=50ms

import hashlib


def attack():
    return hashlib.pbkdf2_hmac('sha256', b'a', b'b', 10**9).hex()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
