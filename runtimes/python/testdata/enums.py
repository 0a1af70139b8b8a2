import enum


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"
    CRIMSON = "red"


class Level(enum.IntEnum):
    LOW = enum.auto()
    HIGH = enum.auto()


class Mode(enum.Flag):
    R = 4
    W = 2


class Name(enum.StrEnum):
    A = enum.auto()


def render(props):
    return {"colour": Colour(props["c"]), "alias": Colour.CRIMSON.name, "level": Level.HIGH, "mode": str(Mode.R | Mode.W),
            "name": Name.A, "all": [c.name for c in Colour], "repr": repr(Mode(6)), "in": Level(1) < Level.HIGH}
