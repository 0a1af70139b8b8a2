"""A component that takes too much of what it is asked to take."""


def render(props):
    match props["what"]:
        case "time":
            while True:
                pass
        case "memory":
            return len("x" * (1 << 30))
        case "output":
            return "x" * (8 << 20)
