"""The event loop of components.

Two ways of running it:

- driven: spore_call and spore_settle run whatever is ready and return to the
  host. Nothing ever blocks, so an instance that waits can be suspended. Timers
  are host calls of spore.sleep: one for the timer that is due first, and what
  is left of those that were made for timers which came to be later ones.
- by run_until_complete (asyncio.run in a component's ordinary function): the
  function cannot return before the result is there, so host calls are blocking
  ones and timers sleep.
"""

__all__ = ("EventLoop", "DefaultEventLoopPolicy")

import collections
import heapq
import sys
import weakref
from time import monotonic, sleep, time as wall_clock

import _spore

from . import events, futures, tasks
from .log import logger

_RESOLUTION = 1e-6


class _HostCall(futures.Future):
    """The result of a pending host call. To cancel it is to give the call up."""

    __slots__ = ("_number",)

    def cancel(self, msg=None):
        if not super().cancel(msg):
            return False
        self.get_loop()._give_up(self._number)
        return True


class EventLoop(events.AbstractEventLoop):

    def __init__(self):
        self._ready = collections.deque()
        self._scheduled = []        # heap of TimerHandle
        self._host_calls = {}       # number of a pending host call -> its _HostCall
        self._sleeps = {}           # number of a pending spore.sleep -> its TimerHandle
        self._running = False
        self._stopping = False
        self._closed = False
        self._debug = False
        self._exception_handler = None
        self._task_factory = None
        self._default_executor = None       # there never is one
        self._asyncgens = weakref.WeakSet()
        self.slow_callback_duration = 0.1
        self._start = _spore.start()
        self._offset = 0.0          # of the loop's time to time.monotonic()
        self._now = 0.0             # the latest time that anyone saw
        self._wall = None           # what the clock on the wall showed at that time

    def __repr__(self):
        return f"<EventLoop running={self.is_running()} closed={self._closed}>"

    # Time. After a start of a captured image, which may be in another process, the
    # clock is another one. The loop's own time goes on from where it was; how long
    # that is ago is known from the clock on the wall.

    def time(self):
        clock = monotonic()
        if self._start != _spore.start():
            self._start = _spore.start()
            passed = 0.0 if self._wall is None else max(0.0, wall_clock() - self._wall)
            self._offset = self._now + passed - clock
        self._now = max(self._now, clock + self._offset)
        return self._now

    # Callbacks.

    def call_soon(self, callback, *args, context=None):
        self._check_closed()
        handle = events.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(self, delay, callback, *args, context=None):
        if delay is None:
            raise TypeError("delay must not be None")
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        if when is None:
            raise TypeError("when cannot be None")
        self._check_closed()
        timer = events.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def _timer_handle_cancelled(self, handle):
        pass        # removed when it comes to the top of the heap

    def _earliest(self):
        """The next timer that counts, or None."""
        while self._scheduled and self._scheduled[0]._cancelled:
            heapq.heappop(self._scheduled)._scheduled = False
        return self._scheduled[0] if self._scheduled else None

    def _run_ready(self, main=None):
        """Runs what is ready, and what gets ready by it, until nothing is or
        the task main is done: what others still do is for the next call."""
        ready = self._ready
        while not self._stopping:
            if self._scheduled:
                limit = self.time() + _RESOLUTION
                while (timer := self._earliest()) and timer._when <= limit:
                    heapq.heappop(self._scheduled)._scheduled = False
                    ready.append(timer)
            if not ready:
                return
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle._cancelled:
                    handle._run()
            handle = None
            if main is not None and main.done():
                return

    def _enter(self, awaiter):
        """awaiter makes what stands for a pending host call; None: they block."""
        self._check_closed()
        if self._running:
            raise RuntimeError("This event loop is already running")
        if events._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        before = sys.get_asyncgen_hooks(), _spore.drive(awaiter)
        sys.set_asyncgen_hooks(firstiter=self._asyncgens.add,
                               finalizer=self._finalize_asyncgen)
        self._running = True
        events._set_running_loop(self)
        return before

    def _leave(self, before):
        self._running = False
        self._stopping = False
        events._set_running_loop(None)
        hooks, awaiter = before
        _spore.drive(awaiter)
        sys.set_asyncgen_hooks(*hooks)

    # Driven by the host.

    def step(self, main):
        """Runs until the task main is done or nothing is ready. True if
        something is still to come."""
        before = self._enter(self._host_call)
        try:
            self._run_ready(main)
            while not self._sleep(main):
                self._run_ready(main)
            if self._scheduled:
                self.time()
            self._wall = wall_clock() if self._scheduled else None
        finally:
            self._leave(before)
        return bool(self._host_calls or self._sleeps)

    def _sleep(self, main):
        """Makes the host wake the loop in time, and not for nothing. False if the
        time has come already."""
        if self._sleeps:
            for number, timer in list(self._sleeps.items()):
                if timer._cancelled or not timer._scheduled:
                    del self._sleeps[number]
                    self._give_up(number)
        if main is not None and main.done() or (timer := self._earliest()) is None:
            return True
        when = timer._when
        for other in self._sleeps.values():
            if other._when <= when:
                return True
        ms = max(0.0, (when - self.time()) * 1000)
        reply = _spore.request(0, "spore.sleep", {"ms": ms})
        if type(reply) is tuple:
            self._now = max(self._now, when)
            return False
        self._sleeps[reply] = timer
        return True

    def _host_call(self, number):
        call = self._host_calls[number] = _HostCall(loop=self)
        call._number = number
        return call

    def _give_up(self, number):
        """Tells the host that nobody waits for its call `number` any more."""
        self._host_calls.pop(number, None)
        _spore.call_sync("spore.cancel", {"id": number})
        _spore.settled()

    def settle(self, number, value, error):
        """Takes the reply to host call `number`; False if none was expected."""
        if number in self._sleeps:
            # The host says that the time has come, whatever the clock shows.
            self._now = max(self.time(), self._sleeps.pop(number)._when)
        elif number in self._host_calls:
            call = self._host_calls.pop(number)
            if call.done():
                pass            # by the component
            elif error is None:
                call.set_result(value)
            else:
                call.set_exception(error)
        else:
            return False
        return True

    # Run by the component.

    def run_forever(self):
        before = self._enter(None)
        try:
            while True:
                self._run_ready()
                if self._stopping:
                    break
                timer = self._earliest()
                if timer is None:
                    raise RuntimeError("the event loop waits for something that nobody will do")
                sleep(max(0.0, timer._when - self.time()))
                self._now = max(self.time(), timer._when)
        finally:
            self._leave(before)

    def run_until_complete(self, future):
        self._check_closed()
        new_task = not futures.isfuture(future)
        future = tasks.ensure_future(future, loop=self)
        if new_task:
            future._log_destroy_pending = False

        def stop(_):
            self.stop()

        future.add_done_callback(stop)
        try:
            self.run_forever()
        except BaseException:
            if new_task and future.done() and not future.cancelled():
                future.exception()      # it is not lost: the loop's own goes up
            raise
        finally:
            future.remove_done_callback(stop)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()

    def stop(self):
        self._stopping = True

    def is_running(self):
        return self._running

    def is_closed(self):
        return self._closed

    def close(self):
        if self._running:
            raise RuntimeError("Cannot close a running event loop")
        self._closed = True
        self._ready.clear()
        self._scheduled.clear()

    def _check_closed(self):
        if self._closed:
            raise RuntimeError("Event loop is closed")

    # Asynchronous generators.

    def _finalize_asyncgen(self, agen):
        self._asyncgens.discard(agen)
        if not self._closed:
            self.call_soon(self.create_task, agen.aclose())

    async def shutdown_asyncgens(self):
        closing = list(self._asyncgens)
        self._asyncgens.clear()
        results = await tasks.gather(*[g.aclose() for g in closing], return_exceptions=True)
        for result, agen in zip(results, closing):
            if isinstance(result, Exception):
                self.call_exception_handler({
                    "message": "an error occurred during closing of "
                               f"asynchronous generator {agen!r}",
                    "exception": result, "asyncgen": agen})

    # Futures and tasks.

    def create_future(self):
        return futures.Future(loop=self)

    def create_task(self, coro, *, name=None, context=None):
        self._check_closed()
        if self._task_factory is None:
            return tasks.Task(coro, loop=self, name=name, context=context)
        if context is None:
            task = self._task_factory(self, coro)
        else:
            task = self._task_factory(self, coro, context=context)
        task.set_name(name)
        return task

    def set_task_factory(self, factory):
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        self._task_factory = factory

    def get_task_factory(self):
        return self._task_factory

    # There are no threads: the function runs at once, and everything waits.

    def run_in_executor(self, executor, func, *args):
        self._check_closed()
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as e:
            future.set_exception(e)
        return future

    def set_default_executor(self, executor):
        pass

    async def shutdown_default_executor(self, timeout=None):
        pass

    # Errors.

    def get_exception_handler(self):
        return self._exception_handler

    def set_exception_handler(self, handler):
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._exception_handler = handler

    def default_exception_handler(self, context):
        lines = [context.get("message") or "Unhandled exception in event loop"]
        for key in sorted(context):
            if key not in ("message", "exception"):
                lines.append(f"{key}: {context[key]!r}")
        exc = context.get("exception")
        logger.error("\n".join(lines), exc_info=exc or False)

    def call_exception_handler(self, context):
        try:
            if self._exception_handler is None:
                self.default_exception_handler(context)
            else:
                self._exception_handler(self, context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            logger.error("Unhandled error in exception handler", exc_info=True)

    def get_debug(self):
        return self._debug

    def set_debug(self, enabled):
        self._debug = enabled


class DefaultEventLoopPolicy(events.BaseDefaultEventLoopPolicy):
    _loop_factory = EventLoop
