"""asyncio without sockets, processes and threads.

The event loop is spore_loop.Loop: what it waits for are host calls and timers.
All else is CPython's own.
"""

from . import (base_futures, base_tasks, constants, coroutines, events, exceptions,
               format_helpers, futures, locks, log, mixins, queues, runners,
               spore_loop, taskgroups, tasks, threads, timeouts)
from .coroutines import *
from .events import *
from .exceptions import *
from .futures import *
from .locks import *
from .queues import *
from .runners import *
from .spore_loop import *
from .taskgroups import *
from .tasks import *
from .threads import *
from .timeouts import *

__all__ = (coroutines.__all__ + events.__all__ + exceptions.__all__ +
           futures.__all__ + locks.__all__ + queues.__all__ + runners.__all__ +
           spore_loop.__all__ + taskgroups.__all__ + tasks.__all__ +
           threads.__all__ + timeouts.__all__)

_ABSENT = {
    "open_connection": "sockets", "start_server": "sockets",
    "open_unix_connection": "sockets", "start_unix_server": "sockets",
    "StreamReader": "sockets", "StreamWriter": "sockets",
    "create_subprocess_exec": "processes", "create_subprocess_shell": "processes",
    "subprocess": "processes", "SelectorEventLoop": "sockets",
}


def __getattr__(name):
    if name in _ABSENT:
        raise AttributeError(f"asyncio.{name} does not exist here: there are no {_ABSENT[name]}")
    raise AttributeError(f"module 'asyncio' has no attribute {name!r}")
