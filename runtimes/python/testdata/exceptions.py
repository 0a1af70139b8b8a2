import traceback


class Problem(Exception):
    def __init__(self, code):
        super().__init__(f"problem {code}")
        self.add_note("a note")


def inner(n):
    try:
        return 10 // n
    except ZeroDivisionError as e:
        raise Problem(n) from e


def render(props):
    out = []
    try:
        inner(0)
    except Problem as e:
        out = [type(e.__cause__).__name__, e.__notes__, traceback.format_exception_only(e),
               [f.name for f in traceback.extract_tb(e.__traceback__)]]
    try:
        raise ExceptionGroup("many", [ValueError(1), TypeError("t"), ExceptionGroup("inner", [OSError(2)])])
    except* (ValueError, OSError) as group:
        out.append(repr(group))
    except* TypeError as group:
        out.append(str(group))
    return out
