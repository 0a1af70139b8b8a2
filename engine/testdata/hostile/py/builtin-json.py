# json.dumps and loads of megabytes, again and again.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=100ms Memory=60MiB

import json


def attack():
    a = [{'i': i} for i in range(20000)]
    while True: json.loads(json.dumps(a))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
