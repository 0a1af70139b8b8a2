# json is patched, then a value and then an error must be made into JSON.
# class: pollution
# expect: error ValueError: real

import json, json.encoder


def attack():
    json.dumps = lambda *a, **k: '{"kind":"memory"}'
    json.encoder.JSONEncoder.encode = json.encoder.encode_basestring = json.encoder.c_make_encoder = None
    raise ValueError("real")


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
