"""A GPU worker that serves models written in Python; see README.md beside it and gpu/PROTOCOL.md.

It needs Python 3.9 and nothing but the standard library. What a file of models imports is its own business.
"""

import array
import atexit
import contextlib
import ctypes
import importlib.util
import inspect
import io
import itertools
import json
import os
import platform
import queue
import re
import signal
import struct
import sys
import threading
import time
import traceback
import types

VERSION = 1
GREETING = b"\0spore-gpu-worker\n"
HELLO, CONSTANT, DROP, CALL, CANCEL, GOODBYE, READY, STORED, REPLY, PART, CREDIT = range(1, 12)
OP_MODEL, OP_STREAM = 3, 4
OK, ARGUMENT, MEMORY, CANCELED, UNSUPPORTED, INTERNAL = 0, 1, 3, 4, 6, 7
ALIGN = 64
MAX_ERROR = 1 << 10  # bytes of a text
MAX_HEADER = 1 << 20  # bytes
ONE_WRITE = 64 << 10  # bytes up to which a frame is copied together

# datatype of KServe v2: bytes of an element, its format in package struct, its name in torch and numpy
DATATYPES = {
    "BOOL": (1, "?", "bool"), "UINT8": (1, "B", "uint8"), "INT8": (1, "b", "int8"),
    "UINT16": (2, "H", "uint16"), "INT16": (2, "h", "int16"), "UINT32": (4, "I", "uint32"), "INT32": (4, "i", "int32"),
    "UINT64": (8, "Q", "uint64"), "INT64": (8, "q", "int64"), "FP16": (2, "e", "float16"), "BF16": (2, "H", "bfloat16"),
    "FP32": (4, "f", "float32"), "FP64": (8, "d", "float64"), "BYTES": (0, None, None),
}
BY_NAME = {name: datatype for datatype, (_, _, name) in DATATYPES.items() if name}
BY_FORMAT = {f: d for d, (_, f, _) in DATATYPES.items() if f and d != "BF16"}
BY_FORMAT.update({"l": "INT64" if array.array("l").itemsize == 8 else "INT32", "L": "UINT64" if array.array("L").itemsize == 8 else "UINT32"})


class Invalid(Exception):
    """The inputs are no good. The caller learns that and no more; the embedder gets the text."""


class Canceled(Exception):
    """Nobody waits for the answer any more."""


def count(shape):
    n = 1
    for d in shape:
        n *= d
    return n


class Tensor:
    """An input, or an output: datatype (of KServe v2), shape (a tuple), data (a memoryview of bytes, row major and little endian).

    The data of inputs are the call's own and may be written to.
    """

    __slots__ = ("datatype", "shape", "data")

    def __init__(self, datatype, shape, data):
        view = memoryview(data)
        self.datatype, self.shape, self.data = datatype, tuple(shape), view.cast("B") if view.nbytes else memoryview(b"")
        size = DATATYPES[datatype][0]
        if size and count(self.shape) * size != len(self.data):
            raise ValueError("%s%s has %d bytes, not %d" % (datatype, list(self.shape), count(self.shape) * size, len(self.data)))

    def elements(self):
        """The elements in a flat list: numbers, or bytes."""
        _, form, _ = DATATYPES[self.datatype]
        if form is None:
            all, at = [], 0
            while at < len(self.data):
                n = int.from_bytes(self.data[at : at + 4], "little")
                all.append(bytes(self.data[at + 4 : at + 4 + n]))
                at += 4 + n
            return all
        flat = struct.unpack("<%d%s" % (count(self.shape), form), self.data)
        if self.datatype == "BF16":
            flat = struct.unpack("<%df" % len(flat), struct.pack("<%dI" % len(flat), *(v << 16 for v in flat)))
        return list(flat)

    def tolist(self):
        """The elements in nested lists, or the only one if there are no dimensions."""
        all = self.elements()
        if not self.shape:
            return all[0]
        for d in reversed(self.shape[1:]):
            all = [all[i : i + d] for i in range(0, len(all), d)] if d else [[] for _ in range(count(self.shape[:-1]))]
        return all

    def torch(self):
        """A torch.Tensor on the CPU that shares the memory."""
        import torch

        dtype = getattr(torch, DATATYPES[self.datatype][2])
        return torch.frombuffer(self.data, dtype=dtype).reshape(self.shape) if len(self.data) else torch.empty(self.shape, dtype=dtype)

    def numpy(self):
        """A numpy.ndarray that shares the memory."""
        import numpy

        return numpy.frombuffer(self.data, dtype=DATATYPES[self.datatype][2]).reshape(self.shape)


def flatten(value, flat, depth=0):
    """Appends the elements of nested lists to flat and returns their shape."""
    if not isinstance(value, (list, tuple)):
        flat.append(value)
        return ()
    if depth == 32:
        raise ValueError("lists in lists without end")
    shapes = {flatten(v, flat, depth + 1) for v in value}
    if len(shapes) > 1:
        raise ValueError("lists of different lengths")
    return (len(value),) + (shapes.pop() if shapes else ())


def pack(datatype, flat):
    """The bytes of elements."""
    _, form, _ = DATATYPES[datatype]
    if form is None:
        raw = (v.encode() if isinstance(v, str) else bytes(v) if isinstance(v, (bytearray, memoryview)) else v for v in flat)
        return b"".join(itertools.chain.from_iterable((len(v).to_bytes(4, "little"), v) for v in raw))
    if datatype == "BF16":  # the nearest; ties to even
        bits = struct.unpack("<%dI" % len(flat), struct.pack("<%df" % len(flat), *flat))
        flat = [(v >> 16) | 0x40 if v & 0x7FFFFFFF > 0x7F800000 else (v + 0x7FFF + (v >> 16 & 1)) >> 16 for v in bits]
    return struct.pack("<%d%s" % (len(flat), form), *flat)


def tensor(value, spec):
    """What a model has returned for an output, as a Tensor."""
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "detach") and hasattr(value, "data_ptr"):  # of torch, without numpy, which has no bfloat16
        value = value.detach().cpu().contiguous()
        n = value.numel() * value.element_size()
        data = bytearray((ctypes.c_char * n).from_address(value.data_ptr())) if n else b""
        return Tensor(BY_NAME[str(value.dtype).rpartition(".")[2]], value.shape, data)
    if isinstance(value, (list, tuple, int, float, str)) or spec.datatype == "BYTES":
        flat = []
        shape = flatten(value, flat)
        return Tensor(spec.datatype, shape + spec.shape[len(shape) :] if not flat else shape, pack(spec.datatype, flat))
    view = memoryview(value)  # of numpy, array, and the like
    form = view.format.lstrip("@=<")
    if form not in BY_FORMAT:
        raise TypeError("elements of format %r" % view.format)
    return Tensor(BY_FORMAT[form], view.shape, view if view.c_contiguous else view.tobytes())


class Spec:
    """The description of an input or output, such as "FP32[?,384]"."""

    def __init__(self, name, text):
        m = re.fullmatch(r"([A-Z0-9]+)\[([0-9?, ]*)\]", text)
        if not m or m.group(1) not in DATATYPES:
            raise ValueError('%s: %r is no description of a tensor, such as "FP32[?,384]"' % (name, text))
        self.name, self.datatype = name, m.group(1)
        self.shape = tuple(-1 if d.strip() == "?" else int(d) for d in m.group(2).split(",") if m.group(2).strip())

    def check(self, t):
        if t.datatype != self.datatype or len(t.shape) != len(self.shape) or any(s not in (-1, d) for s, d in zip(self.shape, t.shape)):
            raise ValueError("%s is %s%s, not %s%s" % (self.name, t.datatype, list(t.shape), self.datatype, list(self.shape)))

    def info(self):
        return {"name": self.name, "datatype": self.datatype, "shape": self.shape}


class Model:
    """A function that was registered."""

    def __init__(self, name, run, inputs, outputs, **info):
        self.name, self.run = name, run
        self.inputs = [Spec(n, text) for n, text in inputs.items()]
        self.outputs = [Spec(n, text) for n, text in outputs.items()]
        self.stream, self.batch, self.parallel = inspect.isgeneratorfunction(run), info["batch"], max(info["parallel"], 1)
        self.listed = dict(info, name=name, doc=inspect.cleandoc(info["doc"] or run.__doc__ or ""), stream=self.stream,
                           inputs=[s.info() for s in self.inputs], outputs=[s.info() for s in self.outputs])
        self.calls = queue.SimpleQueue()

    def results(self, value, rows):
        """What the function has returned, as Tensors in the order of the outputs."""
        if isinstance(value, dict):
            if value.keys() != {s.name for s in self.outputs}:
                raise ValueError("the outputs are %s, not %s" % (sorted(value), sorted(s.name for s in self.outputs)))
            value = [value[s.name] for s in self.outputs]
        elif len(self.outputs) == 1:
            value = [value]
        elif not self.outputs and value is None:
            value = []
        elif not isinstance(value, (list, tuple)) or len(value) != len(self.outputs):
            raise ValueError("there are %d outputs" % len(self.outputs))
        all = []
        for spec, v in zip(self.outputs, value):
            t = tensor(v, spec)
            spec.check(t)
            if self.batch and t.shape[0] != rows:
                raise ValueError("%s has %d rows, the inputs have %d" % (spec.name, t.shape[0], rows))
            all.append(t)
        return all


MODELS = {}
DEVICE = {"Name": "python", "Device": "%s %s" % (platform.python_implementation(), platform.python_version()), "MemoryBytes": 0}


def model(name, *, inputs, outputs, doc=None, batch=False, max_batch=16, max_delay_ms=0.0, max_rows=0, parallel=1, timeout_s=0.0):
    """Registers a function as a model. It is called with a Call and then with its inputs by name, as Tensors."""

    def register(run):
        if name in MODELS:
            raise ValueError("there are two models %r" % name)
        MODELS[name] = Model(name, run, inputs, outputs, doc=doc, batch=batch, max_batch=max_batch if batch else 1, max_delay_ns=int(max_delay_ms * 1e6),
                             max_rows=max_rows, parallel=parallel, timeout_ns=int(timeout_s * 1e9))
        return run

    return register


def device(name, memory_bytes=0):
    """Says what the models run on."""
    DEVICE.update(Device=name, MemoryBytes=memory_bytes)


class Call:
    """A call in progress. parameters are what the caller has sent beside tensors; result_parameters go back with the answer."""

    def __init__(self, id, model, inputs, parameters, deadline, max_bytes, credit):
        self.id, self.model, self.inputs, self.parameters = id, model, inputs, parameters
        self.result_parameters = None
        self.deadline, self.max_bytes, self.credit = deadline, max_bytes, credit
        self.changed = threading.Condition(threading.Lock())
        self._canceled = False
        self.parts = None  # the generator of a stream that has begun
        self.parked = False

    @property
    def canceled(self):
        """Whether nobody waits any more. A model that does not end soon after is killed, with its process."""
        return self._canceled

    def check(self):
        """Raises Canceled if nobody waits any more."""
        if self._canceled:
            raise Canceled()

    def wait(self, seconds):
        """Sleeps, or raises Canceled as soon as nobody waits any more."""
        with self.changed:
            self.changed.wait_for(lambda: self._canceled, seconds)
        self.check()

    def remaining(self):
        """Seconds until the deadline; None if there is none."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def cancel(self):
        with self.changed:
            self._canceled = True
            self.changed.notify_all()
            self.go_on()

    def allow(self, n):
        with self.changed:
            self.credit += n
            self.go_on()

    def go_on(self):
        """Puts a stream that was parked back in its turn. self.changed is held."""
        if self.parked:
            self.parked = False
            self.model.calls.put(self)

    def next_turn(self):
        """Puts a stream back in its turn, or parks it until the host wants more: it holds up no other."""
        with self.changed:
            self.parked = True
            if self.credit > 0 or self._canceled:
                self.go_on()


def pad(n):
    return -n % ALIGN


def encode(tensors, parameters, max_bytes):
    """The pieces of a result."""
    header = {"outputs": [{"name": n, "datatype": t.datatype, "shape": t.shape, "parameters": {"binary_data_size": len(t.data)}} for n, t in tensors]}
    if parameters:
        header["parameters"] = parameters
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > MAX_HEADER:
        raise ValueError("the parameters of the result have more than %d bytes" % MAX_HEADER)
    pieces = [struct.pack("<II", len(text), 0) + text + bytes(pad(8 + len(text)))]
    for _, t in tensors:
        pieces += [t.data, bytes(pad(len(t.data)))]
    if sum(map(len, pieces)) > max_bytes:
        raise ValueError("the result has more than %d bytes" % max_bytes)
    return pieces


def decode(body):
    """The header of a request, its tensors and the credit."""
    size, credit = struct.unpack_from("<II", body)
    header = json.loads(bytes(body[8 : 8 + size]))
    at = 8 + size
    tensors = {}
    for t in header.get("inputs", ()):
        at += pad(at)
        n = t["parameters"]["binary_data_size"]
        tensors[t["name"]] = Tensor(t["datatype"], t["shape"], body[at : at + n])
        at += n
    return header, tensors, credit


def describe(e):
    """An exception in one line, with the place in the file of models."""
    places = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == Worker.path]
    where = " (line %d)" % places[-1].lineno if places else ""
    if isinstance(e, SyntaxError):
        where = " (line %s)" % e.lineno
    return "%s: %s%s" % (type(e).__name__, " ".join(str(e).split())[:600], where)


def poisoned(e):
    """Whether the process had better end: after such an error every later one on the same device fails, or is wrong."""
    return type(e).__name__ == "AcceleratorError" or "CUDA error" in str(e) or "HIP error" in str(e)


class Worker:
    path = None  # of the file of models

    def __init__(self):
        # Nobody else reads from the host, or writes to it.
        self.source = io.BufferedReader(io.FileIO(os.dup(0), "rb"), 64 << 10)
        self.sink = os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        if hasattr(os, "register_at_fork"):  # or else a process that a model starts would keep the channel open
            os.register_at_fork(after_in_child=lambda: (os.close(self.source.fileno()), os.close(self.sink)))
        self.sending = threading.Lock()
        self.lock = threading.Lock()
        self.calls = {}  # by id; guarded by lock
        self.idle = threading.Condition(self.lock)

    def read(self, n):
        data = bytearray(n)
        if self.source.readinto(data) < n:
            os._exit(0)  # the host is gone, or has closed the channel
        return data

    def send(self, kind, pieces):
        n = sum(map(len, pieces))
        pieces = [struct.pack("<IB", n, kind)] + pieces
        if n <= ONE_WRITE or not hasattr(os, "writev"):
            pieces = [b"".join(pieces)]
        pieces = [memoryview(p) for p in pieces if len(p)]
        write = (lambda all: os.writev(self.sink, all)) if hasattr(os, "writev") else (lambda all: os.write(self.sink, all[0]))
        with self.sending:
            try:
                while pieces:
                    n = write(pieces)
                    while pieces and n >= len(pieces[0]):
                        n -= len(pieces.pop(0))
                    if n:
                        pieces[0] = pieces[0][n:]
            except OSError:
                os._exit(0)  # nobody reads

    def ready(self, error=None):
        text = (error or "").encode()[:MAX_ERROR]
        info = dict(DEVICE, Ops=[], Models=[m.listed for m in MODELS.values()])
        self.send(READY, [struct.pack("<II", VERSION, len(text)), text, b"" if error else json.dumps(info).encode()])

    def serve(self, path):
        self.send_raw(GREETING)
        try:
            size, kind = struct.unpack("<IB", self.read(5))
            hello = self.read(size)
            if kind != HELLO or size < 4:
                raise ValueError("a frame of type %d comes first" % kind)
            version = struct.unpack_from("<I", hello)[0]
            if version != VERSION:
                raise ValueError("the host speaks version %d of the protocol, this worker %d" % (version, VERSION))
            if size != 16 or struct.unpack_from("<Q", hello, 8)[0]:
                raise ValueError("this worker takes calls through pipes only: see Config.Pipes")
            load(path)
        except BaseException as e:
            self.ready(str(e) if type(e) is ValueError and Worker.path is None else describe(e))
            os._exit(1)
        for m in MODELS.values():
            for _ in range(m.parallel):
                threading.Thread(target=self.work, args=(m,), daemon=True).start()
        self.ready()
        while True:
            size, kind = struct.unpack("<IB", self.read(5))
            self.frame(kind, size)

    def send_raw(self, data):
        while data:
            data = data[os.write(self.sink, data) :]

    def frame(self, kind, size):
        if kind == CALL:
            id, op, left, room = struct.unpack("<QIQQ", self.read(28))
            self.call(id, op, left, room, memoryview(self.read(size - 28)))
            return
        body = self.read(size)
        if kind in (CANCEL, CREDIT):
            with self.lock:
                call = self.calls.get(struct.unpack_from("<Q", body)[0])
            if call and kind == CANCEL:
                call.cancel()
            elif call:
                call.allow(struct.unpack_from("<I", body, 8)[0])
        elif kind == CONSTANT:
            whole, at, head = struct.unpack_from("<QQI", body, 32)
            if at + size - 52 - head == whole:
                self.send(STORED, [bytes(body[:32]), struct.pack("<I", UNSUPPORTED)])
        elif kind == GOODBYE:
            threading.Thread(target=self.leave, daemon=True).start()
        elif kind != DROP:
            print("spore: the host sent a frame of type", kind, file=sys.stderr)
            os._exit(1)

    def call(self, id, op, left, room, body):
        if op not in (OP_MODEL, OP_STREAM):
            return self.send(REPLY, [struct.pack("<QII", id, UNSUPPORTED, 0)])
        header, inputs, credit = decode(body)
        m = MODELS.get(header["model_name"]) if "model_name" in header else ECHO  # with no name it is the host's trial
        call = Call(id, m, inputs, header.get("parameters") or {}, time.monotonic() + left / 1e9 if left else None, room, credit)
        with self.lock:
            self.calls[id] = call
        if m is None or m.stream != (op == OP_STREAM):
            return self.answer(call, UNSUPPORTED, [b"there is no such model"])
        if m.stream:
            call.next_turn()
        else:
            m.calls.put(call)

    def work(self, m):
        """Works on the calls of a model, one after the other; on streams in turn, one part at a time."""
        while True:
            call = m.calls.get()
            code, body = INTERNAL, []
            try:
                call.check()
                if m.stream:
                    if self.step(call):
                        call.next_turn()
                        continue
                else:
                    rows = next(iter(call.inputs.values())).shape[0] if m.batch else 0
                    body = self.encode(call, m.run(call, **call.inputs), rows)
                code = OK
            except BaseException as e:
                code, body = failure(e)
            if call.parts is not None:
                try:
                    call.parts.close()
                except BaseException as e:
                    code, body = failure(e)
            self.answer(call, code, body)
            call = body = None  # what they hold may be large

    def step(self, call):
        """Sends the next part of a stream. False: there was none."""
        if call.parts is None:
            call.parts = call.model.run(call, **call.inputs)
        try:
            part = next(call.parts)
        except StopIteration:
            return False
        body = self.encode(call, part, 0)
        with call.changed:
            call.credit -= 1
        self.send(PART, [struct.pack("<Q", call.id)] + body)
        return True

    def encode(self, call, value, rows):
        m = call.model
        tensors = list(zip((s.name for s in m.outputs), m.results(value, rows)))
        return encode(tensors, call.result_parameters, call.max_bytes)

    def answer(self, call, code, body):
        with self.lock:
            del self.calls[call.id]
            self.idle.notify_all()
        self.send(REPLY, [struct.pack("<QII", call.id, code, 0)] + body)

    def leave(self):
        """Ends the process when what it has is done."""
        with self.lock:
            self.idle.wait_for(lambda: not self.calls)
        atexit._run_exitfuncs()
        os._exit(0)


def failure(e):
    """The answer to a call that ended with an exception. Some end the process."""
    if isinstance(e, Canceled):
        return CANCELED, []
    text = describe(e)
    if not isinstance(e, Exception) or poisoned(e):  # such as sys.exit
        die(text)
    code = INTERNAL
    if isinstance(e, Invalid):
        code = ARGUMENT
    elif isinstance(e, MemoryError) or type(e).__name__ == "OutOfMemoryError":
        code = MEMORY
    return code, [text.encode("utf-8", "replace")[:MAX_ERROR]]


def die(text):
    """Ends the process. What is said last is what the host says of it."""
    print("spore: model:", text, file=sys.stderr, flush=True)
    os._exit(1)


def load(path):
    """Runs the file of models."""
    Worker.path = path
    api = types.ModuleType("spore_gpu", "What files of models import.")
    for o in (model, device, Tensor, Invalid, Canceled):
        setattr(api, o.__name__, o)
    sys.modules["spore_gpu"] = api
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location("spore_models", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["spore_models"] = module
    spec.loader.exec_module(module)
    if not MODELS:
        raise ValueError("it registers no model")


def harden():
    """Takes what no model needs. That any of it works is no condition."""
    for s in ("SIGINT", "SIGTERM", "SIGHUP"):  # the host decides when to stop
        if hasattr(signal, s):
            signal.signal(getattr(signal, s), signal.SIG_IGN)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold tenants' data
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as f:
            f.write("1000")


ECHO = Model("", lambda call, x: x, {"x": "UINT8[?]"}, {"x": "UINT8[?]"}, batch=False, parallel=1, doc="")


def main():
    if sys.byteorder != "little":
        sys.exit("spore: this worker needs a little-endian processor")
    harden()
    worker = Worker()
    threading.Thread(target=worker.work, args=(ECHO,), daemon=True).start()
    worker.serve(os.path.abspath(sys.argv[1]))


if __name__ == "__main__":
    main()
