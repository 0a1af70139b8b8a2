"""Runs the cases of cases.json: see README.md there."""

import math

import gpu


def value(v, names):
    if isinstance(v, str) and v.startswith("$"):
        return names[v[1:]]
    if isinstance(v, list):
        return [value(e, names) for e in v]
    if not isinstance(v, dict):
        return v
    if "num" in v:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}[v["num"]]
    if "int" in v:
        return int(v["int"])
    return bytes.fromhex(v["raw"])


def index(v):
    """What stands in brackets for an index of cases.json."""
    return tuple(slice(*e) if isinstance(e, list) else ... if e == "..." else e for e in v)


def build(case):
    names = {}
    for to, name, args, options in case["steps"]:
        if name == "slice":
            r = names[args[0][1:]][index(args[1])]
        else:
            r = getattr(gpu, name)(*[value(a, names) for a in args], **{k: value(o, names) for k, o in options.items()})
        if isinstance(to, list):
            names.update(zip(to, r, strict=True))
        else:
            names[to] = r
    return [names[n] for n in case["out"]]


async def render(props):
    results = []
    for case in props["cases"]:
        try:
            out = build(case)
            await gpu.evaluate_async(*out)
            results.append({"out": [{"dtype": a.dtype, "shape": list(a.shape), "data": a.tobytes()} for a in out]})
        except Exception as e:
            results.append({"error": {"code": getattr(e, "code", type(e).__name__), "op": getattr(e, "op", ""),
                                      "text": getattr(e, "message", str(e))}})
    return results
