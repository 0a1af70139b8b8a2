import json


class Custom(json.JSONEncoder):
    def default(self, o):
        return sorted(o) if isinstance(o, set) else super().default(o)


def render(props):
    text = json.dumps(props, sort_keys=True, indent=2)
    try:
        json.loads('{"a": [1, 2,, 3]}')
    except json.JSONDecodeError as e:
        error = [e.msg, e.lineno, e.colno, e.pos]
    return {"same": json.loads(text) == props, "props": props, "custom": json.dumps({"s": {3, 1, 2}}, cls=Custom), "error": error,
            "pairs": json.loads('{"a":1,"a":2}', object_pairs_hook=list), "big": json.loads("123456789012345678901234567890"),
            "float": json.loads("[1e400, -0.0, 1.5e3]")[1:], "text": json.dumps("\u20ac\ud83d\ude00/<>\x00")}
