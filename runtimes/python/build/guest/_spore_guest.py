"""The Python half of the guest: what the shim calls (runtimes/ABI.md)."""

import io
import sys
from json.decoder import JSONDecoder
from json.encoder import c_make_encoder, encode_basestring

import _spore
from _spore_text import clean, message_of, type_name
from spore import HostError, emit

# ---- values ----

buffers = []        # what the frame that is being encoded refers to
markers = {}        # of the encoder: objects that it is inside of


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


def _default(o):
    """JSON form of an object that JSON does not know."""
    if isinstance(o, (bytes, bytearray, memoryview)):
        buffers.append(bytes(o))
        return {"$bytes": len(buffers) - 1}
    if isinstance(o, (set, frozenset)):
        return list(o)
    cls = type(o)
    fields = getattr(cls, "__dataclass_fields__", None)
    if fields is not None:
        return {f.name: getattr(o, f.name) for f in dataclasses.fields(o)}
    if isinstance(o, (datetime.date, datetime.time)):
        return o.isoformat()
    if isinstance(o, enum.Enum):
        return o.value
    if isinstance(o, (decimal.Decimal, uuid.UUID)):
        return str(o)
    raise TypeError(f"a value of type {type_name(o)} cannot be returned")


def _refuse(o):
    raise TypeError(f"{type(o)} in an error")


scan = JSONDecoder(parse_constant=_no_constant).scan_once
encode = c_make_encoder(markers, _default, encode_basestring, None, ":", ",",
                        False, False, False)
# Of errors. Like everything here it does not look at json.dumps and the like
# again, which by then may be the component's.
_encode_error = c_make_encoder(None, _refuse, encode_basestring, None, ":", ",",
                               False, False, False)


def scan_bytes(text, parts):
    """Value of a JSON text in which {"$bytes": i} stands for parts[i]."""
    left = set(range(len(parts)))

    def hook(d):
        if "$bytes" not in d:
            return d
        i = d["$bytes"]
        if len(d) != 1 or type(i) is not int or i not in left:
            raise ValueError("malformed reference to a buffer")
        left.discard(i)
        return parts[i]

    value = JSONDecoder(object_hook=hook, parse_constant=_no_constant).decode(text)
    if left:
        raise ValueError("a buffer that nothing refers to")
    return value


def explain(exc, value):
    """A better exception than the encoder's, with the place of the culprit."""
    if isinstance(exc, UnicodeEncodeError):
        return UnicodeError("the result holds a lone surrogate, which UTF-8 cannot express")
    if not isinstance(exc, (TypeError, ValueError)) or exc.__traceback__ is not None \
            and exc.__traceback__.tb_frame.f_code is not _default.__code__:
        return exc      # raised by the component's own code
    path = _find(value, "result", 0, [2000])
    return type(exc)(f"{path}: {exc}") if path else exc


def _find(v, path, depth, budget):
    """Path of the first value below v that cannot be encoded on its own."""
    budget[0] -= 1
    if budget[0] < 0 or depth > 20:
        return None
    if isinstance(v, dict):
        for k, item in v.items():
            if not isinstance(k, (str, int, float, bool, type(None))):
                return path
            if found := _find(item, f"{path}[{k!r}]", depth + 1, budget):
                return found
    elif isinstance(v, (list, tuple)):
        for i, item in enumerate(v):
            if found := _find(item, f"{path}[{i}]", depth + 1, budget):
                return found
    elif isinstance(v, float):
        return path if v != v or v in (float("inf"), float("-inf")) else None
    elif v is not None and not isinstance(v, (str, int)):
        try:
            inner = _default(v)
        except Exception:
            return path
        finally:
            buffers.clear()
        if not isinstance(v, (bytes, bytearray, memoryview)):
            return _find(inner, path, depth + 1, budget)
    return None


# ---- errors ----

_STACK = 64
_TRACE = 16 * 1024
_MESSAGE = 8 * 1024
_CHAIN = 8


def _own(tb):
    return tb.tb_frame.f_code.co_filename in _OWN_FILES


def _shorten(exc):
    """Cuts the traceback of exc, whose length the component decides, to its
    first and last entries without those of the guest itself. Returns the last
    ones, outermost first."""
    if exc.__traceback__ is None:
        return []
    total, first, last = _spore.walk(exc.__traceback__, 8, _STACK)
    keep = first + (last if total <= 32 else last[-24:])
    new = None
    for t in reversed(keep):
        if not _own(t):
            new = types.TracebackType(new, t.tb_frame, t.tb_lasti, t.tb_lineno)
    exc.__traceback__ = new
    return [t for t in first + last if not _own(t)][-_STACK:]


def _shorten_chain(exc):
    entries = _shorten(exc)
    seen = {id(exc)}
    for _ in range(_CHAIN):
        following = exc.__cause__ or exc.__context__
        if following is None or id(following) in seen:
            return entries
        exc = following
        seen.add(id(exc))
        _shorten(exc)
    exc.__cause__ = exc.__context__ = None
    return entries


def _frame(tb):
    code = tb.tb_frame.f_code
    column = None
    if tb.tb_lasti >= 0:
        positions = next(itertools.islice(code.co_positions(), tb.tb_lasti // 2, None), None)
        column = positions[2] if positions else None
    return {
        "func": clean(code.co_qualname, 200), "file": clean(code.co_filename, 200),
        "line": tb.tb_lineno or 0, "column": 0 if column is None else column + 1,
    }


def _error(kind, name, message, **more):
    e = {"kind": kind, "name": name, "message": clean(message, _MESSAGE),
         "stack": [], "trace": ""}
    e.update(more)
    text = "".join(_encode_error(e, 0))
    while len(text.encode()) > 65000 and e["stack"]:
        e["stack"].pop()
        text = "".join(_encode_error(e, 0))
    return text


def report(kind, exc):
    """The JSON error for an exception that nobody caught."""
    name = clean(type(exc).__name__, 200)
    try:
        entries = _shorten_chain(exc)
        stack = [_frame(tb) for tb in reversed(entries)]
    except BaseException:
        stack = []
    try:
        lines = traceback.TracebackException(type(exc), exc, exc.__traceback__).format()
        trace = clean("".join(lines), _TRACE)
    except BaseException:
        trace = ""
    more = {}
    try:
        # Numbers of host calls have 32 bits; the component may have made it up.
        if isinstance(exc, HostError) and type(exc.call) is int and 0 < exc.call < 1 << 32:
            more["host"] = exc.call
    except BaseException:
        pass
    return _error(kind, name, message_of(exc), stack=stack, trace=trace, **more)


def _syntax(name, message, file, line=0, column=0, line_text=""):
    message = clean(message, 2000)
    where = f"{file}:{line}: " if line else ""
    return _error("syntax", name, where + message, diagnostics=[{
        "file": file, "line": line, "column": column, "text": message,
        "lineText": clean(line_text, 500)}])


# ---- loading ----

def _undecodable(name, code, exc):
    before = code[:exc.start]
    start = before.rfind(b"\n") + 1
    end = code.find(b"\n", exc.start)
    text = code[start:len(code) if end < 0 else end].decode("utf-8", "replace")
    return _syntax("SyntaxError", f"byte 0x{code[exc.start]:02x} is not UTF-8", name,
                   before.count(b"\n") + 1, exc.start - start + 1, text)


def _foreign_encoding(name, lines):
    """PEP 263: a comment in one of the first two lines may name an encoding."""
    for number, text in enumerate(lines[:2], 1):
        if match := _COOKIE.match(text):
            if match[1].lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig"):
                return _syntax("SyntaxError", f"source must be UTF-8, not {match[1]}",
                               name, number, len(text[:match.start(1)].encode()) + 1,
                               text.rstrip("\r\n"))
        if text.strip() and not text.lstrip().startswith("#"):
            break
    return None


COMPILE_ERRORS = (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError)


def compile_error(name, exc, lines):
    if isinstance(exc, SyntaxError):
        line = exc.lineno or 0
        text = lines[line - 1].rstrip("\r\n") if 0 < line <= len(lines) else ""
        column = 0
        if line and exc.offset and exc.offset > 0:
            column = len(text[:exc.offset - 1].encode("utf-8", "replace")) + 1
        return _syntax(type(exc).__name__, str(exc.msg), name, line, column, text)
    if isinstance(exc, MemoryError):
        # The parser reports too deep nesting in this way as well.
        try:
            bytearray(1 << 20)
        except MemoryError:
            raise exc from None
    return _syntax("SyntaxError", "the source is nested too deeply", name)


def read_source(name, source):
    """The lines of a source, and what is wrong with its characters as a JSON error or
    None."""
    lines = io.StringIO(source, newline=None).readlines()
    nul = source.find("\0")
    if nul >= 0:
        start = source.rfind("\n", 0, nul) + 1
        return lines, _syntax("SyntaxError", "source contains a NUL byte", name,
                              source.count("\n", 0, nul) + 1,
                              len(source[start:nul].encode("utf-8", "replace")) + 1,
                              source[start:].partition("\n")[0].replace("\0", "\\0"))
    try:
        source.encode()
    except UnicodeEncodeError as e:
        return lines, _syntax("SyntaxError", "source contains a lone surrogate", name,
                              source.count("\n", 0, e.start) + 1)
    return lines, None


def load(name, code):
    """Runs the component as a module. Returns a JSON error, or None."""
    if code.startswith(b"\xef\xbb\xbf"):
        code = code[3:]
    try:
        source = code.decode("utf-8")
    except UnicodeDecodeError as e:
        return _undecodable(name, code, e)
    lines, error = read_source(name, source)
    if error := error or _foreign_encoding(name, lines):
        return error
    linecache.cache[name] = (len(source), None, lines, name)
    try:
        program = compile(source, name, "exec", dont_inherit=True)
    except COMPILE_ERRORS as e:
        return compile_error(name, e, lines)

    module = types.ModuleType("component")
    module.__file__ = name
    sys.modules["component"] = module
    namespace = module.__dict__
    exec(program, namespace)
    if not any(callable(v) and not k.startswith("_") and
               (k == "render" or getattr(v, "__module__", None) == "component")
               for k, v in namespace.items()):
        return _syntax("SyntaxError", "component defines no function: define render(props)", name)
    return None


# ---- coroutines ----

_loop = None
_main = None


def begin(awaitable):
    """Starts what a call returned: a coroutine, or a generator of parts. See _outcome."""
    global _loop, _main
    if _loop is None or _loop.is_closed():
        _loop = asyncio.EventLoop()
    if _has_parts(awaitable):
        awaitable = _stream(awaitable)
    if asyncio.iscoroutine(awaitable):
        _main = _loop.create_task(awaitable)
    else:
        _main = asyncio.ensure_future(awaitable, loop=_loop)
    return _outcome()


def _has_parts(o):
    cls = type(o)
    return cls is types.AsyncGeneratorType or \
        cls is types.GeneratorType and not o.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE


async def _stream(generator):
    """Emits what a generator yields, and returns what it returns."""
    if type(generator) is types.AsyncGeneratorType:
        try:
            async for part in generator:
                await emit(part)
        finally:
            await generator.aclose()
        return None
    try:
        while True:
            try:
                part = next(generator)
            except StopIteration as end:
                if _has_parts(end.value):
                    raise TypeError("a generator cannot return a generator") from None
                return end.value
            await emit(part)
    finally:
        generator.close()


def settle(number, value, error):
    if _loop is None or not _loop.settle(number, value, error):
        return NotImplemented
    _spore.settled()
    return _outcome()


def _outcome():
    """Goes on as far as possible. None: something is pending; (value,);
    (None, exception); False: no call is under way."""
    global _main
    try:
        more = _loop.step(_main)
    except BaseException:       # SystemExit and the like end the call
        _main = None
        raise
    if _main is None:
        return False
    if not _main.done():
        if more:
            return None
        task, _main = _main, None
        task._log_destroy_pending = False
        task.cancel()
        return (None, RuntimeError("the coroutine waits for something that nobody will do"),
                "stuck")
    task, _main = _main, None
    if task.cancelled():
        return (None, asyncio.CancelledError("the coroutine was cancelled"))
    if exc := task.exception():
        return (None, exc)
    result = task.result()
    return begin(result) if _has_parts(result) else (result,)


# ---- console ----

class _Console(io.BufferedIOBase):
    """The bytes below sys.stdout and sys.stderr: every line is a message."""

    def __init__(self, stream):
        self._stream = stream

    def writable(self):
        return True

    def write(self, data):
        return _spore.emit(self._stream, data)


def _console(stream):
    return io.TextIOWrapper(_Console(stream), encoding="utf-8", errors="backslashreplace",
                            newline="\n", write_through=True)


sys.stdout = sys.__stdout__ = _console(0)
sys.stderr = sys.__stderr__ = _console(1)
sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


# ---- the image ----

class _Explainer:
    """Last finder: says why a module of the standard library is not there."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names and (path is None or "." in name):
            raise ModuleNotFoundError(
                f"No module named {name!r}: this part of the standard library is not included",
                name=name)
        return None


def boot():
    """Imports what components share, and uses it once, so that everything that
    is built on first use is in the image."""
    import _spore_warm
    _spore_warm.run()
    del sys.modules["_spore_warm"]
    sys.meta_path.append(_Explainer)


import asyncio
import dataclasses
import datetime
import decimal
import enum
import inspect
import itertools
import linecache
import re
import traceback
import types
import uuid

_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_OWN_FILES = frozenset("<frozen %s>" % m for m in (
    "_spore_guest", "_spore_cells", "_spore_display", "_spore_text", "spore",
    "asyncio.spore_loop"))
