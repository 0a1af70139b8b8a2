"""Texts that leave the guest: bounded, and such that UTF-8 can express them."""


def clean(s, limit):
    """s as text that UTF-8 can express, cut in the middle to `limit` bytes."""
    if len(s) > limit:
        s = s[:limit] + s[-limit:]      # keeps more than is needed of both ends
    b = s.encode("utf-8", "backslashreplace")
    if len(b) > limit:
        head = b[:limit // 4].decode("utf-8", "ignore")
        tail = b[len(b) - (limit - limit // 4 - 16):].decode("utf-8", "ignore")
        return f"{head}\n  [...]\n{tail}"
    return b.decode("utf-8")


def cut(s, limit):
    """s as text that UTF-8 can express, cut at the end to `limit` bytes."""
    b = str.__str__(s)[:limit + 1].encode("utf-8", "backslashreplace")
    if len(b) > limit:
        return b[:limit - 4].decode("utf-8", "ignore") + "…"
    return b.decode("utf-8")


def message_of(exc):
    try:
        return str(exc)
    except BaseException:
        return f"<str() of {type(exc).__name__} failed>"


def type_name(o):
    cls = type(o)
    try:
        if cls.__module__ in ("builtins", "component"):
            return cls.__qualname__
        return f"{cls.__module__}.{cls.__qualname__}"
    except Exception:       # its metaclass has a say in this
        return "?"


def as_text(value):
    """The text of an object with __html__; any other value as it is."""
    if value is None or isinstance(value, (str, int, type)) or type(value) in (dict, list, float):
        return value
    method = getattr(value, "__html__", None)
    if method is None:
        return value
    text = method()
    if not isinstance(text, str):
        raise TypeError(f"__html__() returned {type_name(text)}, not str")
    return text
