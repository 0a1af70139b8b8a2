"""Calls of functions that the host grants to this component.

    value = await spore.call("kv.get", {"key": "a"})
    value = spore.call_sync("kv.get", {"key": "a"})

Arguments and results are what JSON can carry, and bytes. An instance that only
waits in `await spore.call` can be suspended; one in call_sync cannot.
"""

import _spore

__all__ = ["call", "call_sync", "HostError"]

_BLOCKING = 1
_ABSENT = object()


class HostError(Exception):
    """A host call failed. `code` is for programs, `message` for people."""

    def __init__(self, code, message, call=0):
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.call = call        # number of the host call

    def __str__(self):
        return f"{self.code}: {self.message}" if self.code else str(self.message)


async def call(name, arg=_ABSENT, /):
    """Calls the host function `name` and waits for its result."""
    from asyncio import get_running_loop

    loop = get_running_loop()
    if not getattr(loop, "driven", False):
        return call_sync(name, arg)
    args = () if arg is _ABSENT else (arg,)
    reply = _spore.request(0, name, *args)
    if type(reply) is tuple:
        return reply[0]
    return await loop.host_future(reply)


def call_sync(name, arg=_ABSENT, /):
    """Calls the host function `name`; nothing else runs until it returns."""
    args = () if arg is _ABSENT else (arg,)
    reply = _spore.request(_BLOCKING, name, *args)
    if type(reply) is not tuple:
        raise RuntimeError("the host did not answer a blocking call")
    return reply[0]
