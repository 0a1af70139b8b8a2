# Functions of the host.

_DATATYPES = {"bool": "BOOL", "uint8": "UINT8", "int32": "INT32", "int64": "INT64", "float16": "FP16", "bfloat16": "BF16",
              "float32": "FP32", "float64": "FP64"}
_BY_DATATYPE = {k: d for d, k in _DATATYPES.items()}
_OTHERS = {"INT8": "b", "INT16": "h", "UINT16": "H", "UINT32": "I", "UINT64": "Q"}


def _request(name, args):
    """The argument of gpu.call: arrays and lists are its inputs, other values its parameters."""
    if type(name) is not str:
        _bad("the first argument is the name of a function of the host")
    parameters, inputs, arrays = {}, [], []
    for key, v in args.items():
        if type(v) in (list, tuple) and v and _all(type(s) is str for s in v):
            parts = [s.encode() for s in v]
            data = b"".join(chain.from_iterable((struct.pack("<I", len(p)), p) for p in parts))
            inputs.append({"name": key, "datatype": "BYTES", "shape": [len(v)], "data": data})
        elif type(v) in (Array, list, tuple, range, bytes, bytearray, memoryview, _array.array):
            a = _array_of(v)
            arrays.append(a)
            inputs.append((key, a))
        else:
            parameters[key] = v
    yield from _evaluation(arrays)
    for i, t in enumerate(inputs):
        if type(t) is tuple:
            key, a = t
            inputs[i] = {"name": key, "datatype": _DATATYPES[a.dtype], "shape": list(a.shape), "data": _resolve(a).data}
    return {"function": name, "parameters": parameters, "inputs": inputs}


def _answer(r):
    out = dict(r.get("parameters") or {})
    for i, t in enumerate(r.get("outputs") or ()):
        out[t["name"] or f"output{i}"] = _output(t["datatype"], tuple(t["shape"]), t["data"])
    return out


def _output(datatype, shape, data):
    if datatype in _BY_DATATYPE:
        return _leaf(data, _dtype(_BY_DATATYPE[datatype]), shape)
    if datatype in _OTHERS:
        return _array.array(_OTHERS[datatype], data)
    out, at = [], 0
    while at < len(data):
        end = at + 4 + struct.unpack_from("<I", data, at)[0]
        part = data[at + 4:end]
        try:
            part = part.decode()
        except UnicodeDecodeError:
            pass
        out.append(part)
        at = end
    return out


def _calling(name, args):
    return _answer((yield "gpu.call", (yield from _request(name, args))))


def _informing():
    return (yield "gpu.info", {})


class Stream:
    """The parts that a function of the host makes, one after the other: for `for` and for `async for`. It begins with
    the first, and ends when nobody can ask for more."""

    def __init__(self, name, args):
        self._begin = name, args
        self._handle = None

    def __iter__(self):
        return self

    def __aiter__(self):
        return self

    def _next(self):
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._handle = (yield "gpu.stream", (yield from _request(*begin)))["stream"]
        if self._handle is None:
            return None
        try:
            r = yield "gpu.next", {"stream": self._handle}
        except HostError:
            yield from self._close()
            raise
        if r.get("done"):
            self._handle = None
            return None
        return _answer(r["part"])

    def _close(self):
        handle, self._handle, self._begin = self._handle, None, None
        if handle is not None:
            try:
                yield "gpu.close", {"stream": handle}
            except HostError:
                pass        # it has ended by itself

    def __del__(self):
        if getattr(self, "_handle", None) is not None:
            _finish(self._close())


def _next(self):
    r = _finish(self._next())
    if r is None:
        raise StopIteration
    return r


async def _next_later(self):
    r = await _finish_later(self._next())
    if r is None:
        raise StopAsyncIteration
    return r
