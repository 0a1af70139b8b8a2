"""Calls of functions that the host grants to this component.

    value = await spore.call("kv.get", {"key": "a"})
    value = spore.call_sync("kv.get", {"key": "a"})

Arguments and results are what JSON can carry, and bytes. An instance that only
waits in `await spore.call` can be suspended; one in call_sync cannot.

    await spore.emit(part)          # a part of a streamed result
    display(figure)                 # a rich form of a value
"""

import _spore
from _spore_display import bundle as _bundle, raw_bundle as _raw_bundle
from _spore_text import as_text as _as_text

__all__ = ["call", "call_sync", "emit", "emit_sync", "display", "HostError"]

_ABSENT = object()
_call = _spore.call


class HostError(Exception):
    """A host call failed. `code` is for programs, `message` for people."""

    def __init__(self, code, message, call=0):
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.call = call        # number of the host call

    def __str__(self):
        return f"{self.code}: {self.message}" if self.code else str(self.message)


# call_sync(name, arg) calls the host function `name`; nothing else runs until it
# returns.
call_sync = _spore.call_sync


async def call(name, arg=_ABSENT, /):
    """Calls the host function `name` and waits for its result."""
    reply = _call(name) if arg is _ABSENT else _call(name, arg)
    if type(reply) is tuple:
        return reply[0]
    try:
        return await reply
    finally:
        del reply       # or an exception would keep itself alive, by its traceback


async def emit(value, /):
    """Gives the host one part of a streamed result, and waits until it wants more."""
    await call("spore.emit", _as_text(value))


def emit_sync(value, /):
    """As emit; nothing else runs until the host wants more."""
    call_sync("spore.emit", _as_text(value))


def display(*objects, raw=False):
    """Shows objects in the richest forms they have, as IPython's function does. With
    raw they are dicts of such forms by MIME type. If nobody looks at forms, their
    text is printed."""
    for o in objects:
        part = _raw_bundle(o) if raw else _bundle(o)
        _spore.flush()      # what was printed before is seen before
        try:
            call_sync("spore.emit", part)
        except HostError as e:
            if e.code != "not_granted":
                raise
            print(part["text"] or f"<{', '.join(part['data'])}>")
