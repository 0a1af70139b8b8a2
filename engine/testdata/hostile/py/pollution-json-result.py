# json is patched, then a value must be returned.
# class: pollution
# expect: json {"a":[1]}

import json, json.encoder


def attack():
    json.dumps = json.encoder.JSONEncoder.encode = json.encoder.encode_basestring = None
    return {"a": [1]}


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
