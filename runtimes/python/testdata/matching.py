from dataclasses import dataclass


@dataclass
class Click:
    x: int
    y: int


def describe(v):
    match v:
        case Click(x=0, y=y):
            return f"left edge at {y}"
        case Click(x, y) if x == y:
            return f"diagonal {x}"
        case {"kind": "list", "items": [first, *rest]}:
            return f"{first} and {len(rest)} more"
        case [int() | float() as n, _]:
            return f"pair of {n}"
        case str() as s:
            return s.upper()
        case None:
            return "nothing"
        case _:
            return "other"


def render(props):
    return [describe(v) for v in [Click(0, 5), Click(2, 2), Click(1, 2), *props["values"]]]
