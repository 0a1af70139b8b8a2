# What components call.


def _unsupported(name, known, what):
    best = _NEAREST.get(name)
    if best is None:
        best = _NEAREST.get("".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_"))
    if best is None:
        close = difflib.get_close_matches(name[:40], known, 1, 0.0)
        best = close[0] if close else "asarray"
    e = UnsupportedOp("unsupported", f"gpu has no {what} {name[:40]!r}; the nearest is {best}", 0, name)
    e.nearest = best
    return e


def __getattr__(name):
    if name.startswith("_"):
        raise AttributeError(f"module 'gpu' has no attribute {name!r}", name=name)
    raise _unsupported(name, __all__, "function").with_traceback(None)


# ---- what components call ----

_codes = {}


def _hidden(g, f, name):
    """Makes g, a function that calls f, look like f."""
    code = _codes.get(g.__code__)
    if code is None:
        code = _codes[g.__code__] = g.__code__.replace(co_filename=_HIDDEN)
    g.__code__ = code
    g.__name__ = g.__qualname__ = name
    g.__wrapped__ = f
    return g


def _public(f, name):
    """f, for components to call: stack traces of errors begin where they do."""
    def g(*args, **kwargs):
        try:
            return f(*args, **kwargs)
        except Error as e:
            raise e.with_traceback(None) from None
    return _hidden(g, f, name)


def _public_later(f, name):
    async def g(*args, **kwargs):
        try:
            return await f(*args, **kwargs)
        except Error as e:
            raise e.with_traceback(None) from None
    return _hidden(g, f, name)


def _evaluate(*arrays):
    if len(arrays) == 1 and type(arrays[0]) in (list, tuple):
        arrays, = arrays
    _finish(_evaluation(arrays))
    return arrays[0] if len(arrays) == 1 else arrays


async def _evaluate_async(*arrays):
    if len(arrays) == 1 and type(arrays[0]) in (list, tuple):
        arrays, = arrays
    await _finish_later(_evaluation(arrays))
    return arrays[0] if len(arrays) == 1 else arrays


def _item(self):
    if self.size != 1:
        _bad(f"item() is of an array with one element, not of {self!r}")
    return _elements(self)[0]


def _tolist(self):
    flat = _elements(self)
    if not self.shape:
        return flat[0]
    for axis in range(self.ndim - 1, 0, -1):
        n = self.shape[axis]
        flat = [flat[i * n:i * n + n] for i in range(math.prod(self.shape[:axis]))]
    return flat


def _shown(self, include=None, exclude=None):
    """How a cell shows an array."""
    forms = {"text/plain": repr(self)}
    if self.size <= 1000:
        forms["application/json"] = _tolist(self)
    return forms


def _truth(self):
    return _bool(_item(self))


def _number(convert):
    def f(self):
        return convert(_item(self))
    return f


def _iter(self):
    """Numbers, or rows. Nobody wants a call of the host for each number."""
    if len(self.shape) == 1:
        return iter(_elements(self))
    return map(_F["slice"], [self] * len(self), range(len(self)))


def _format(self, spec):
    return format(_item(self), spec) if spec else repr(self)


def _round(self, digits=None):
    if digits:
        _bad("round of arrays is to whole numbers")
    return _F["round"](self)


def _index(self):
    if _KINDS[_type(self)[0]] == _FLOAT:
        _bad(f"{self!r} is no integer")
    return _item(self)


def _mT(self):
    r = self.ndim
    if r < 2:
        _bad(f"mT is of 2 dimensions or more, not {r}")
    return _F["permute_dims"](self, (*range(r - 2), r - 1, r - 2))


def _T(self):
    if self.ndim != 2:
        _bad(f"T is of 2 dimensions, not {self.ndim}: use permute_dims")
    return _mT(self)


def _setitem(self, index, value):
    _bad("arrays do not change: use gpu.where to choose between two of them")


def _operator(name, reflected=False):
    f = _F[name]

    def g(self, other):
        if not (type(other) is Array or _is_plain(other) or type(other) in (list, tuple, range, bytes, bytearray, memoryview, _array.array)):
            return NotImplemented
        return f(other, self) if reflected else f(self, other)
    return g


def _export():
    special = {
        "item": _item, "tolist": _tolist, "tobytes": _contents, "__float__": _number(float), "__int__": _number(int), "__bool__": _truth,
        "__index__": _index, "_repr_mimebundle_": _shown, "__iter__": _iter, "__format__": _format, "__round__": _round, "__getitem__": _F["slice"], "__setitem__": _setitem, "__neg__": _F["negative"], "__abs__": _F["abs"],
        "__pos__": lambda self: self, "__invert__": _F["logical_not"],
    }
    for symbol, name in {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide", "mod": "remainder",
                         "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or"}.items():
        special[f"__{symbol}__"] = _operator(name)
        special[f"__r{symbol}__"] = _operator(name, True)
    for symbol, name in {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}.items():
        special[f"__{symbol}__"] = _operator(name)
    for name, f in special.items():
        setattr(Array, name, _public(f, name))
    Array.T, Array.mT = property(_public(_T, "T")), property(_public(_mT, "mT"))
    Array.evaluate, Array.evaluate_async = _public(_evaluate, "evaluate"), _public_later(_evaluate_async, "evaluate_async")
    Stream.__next__, Stream.__anext__ = _public(_next, "__next__"), _public_later(_next_later, "__anext__")
    Stream.close = _public(lambda self: _finish(self._close()), "close")
    Stream.aclose = _public_later(lambda self: _finish_later(self._close()), "aclose")
    Array.__getattr__ = _public(Array.__getattr__, "__getattr__")

    names = {}
    for name, f in _F.items():
        names[name] = g = _public(f, name)
        if name not in _CREATORS:
            _METHODS.append(name)
            if name != "evaluate":
                setattr(Array, name, g)
    names |= {
        "evaluate": Array.evaluate, "evaluate_async": Array.evaluate_async,
        "call": _public(lambda name, /, **args: _finish(_calling(name, args)), "call"),
        "call_async": _public_later(lambda name, /, **args: _finish_later(_calling(name, args)), "call_async"),
        "stream": _public(lambda name, /, **args: Stream(name, args), "stream"),
        "info": _public(lambda: _finish(_informing()), "info"),
        "info_async": _public_later(lambda: _finish_later(_informing()), "info_async"),
        "__getattr__": _public(__getattr__, "__getattr__"),
    }
    globals().update(names)
    globals().update((d, d) for d in _DTYPES[1:])
    return [n for n in names if n != "__getattr__"] + _DTYPES[1:] + ["Array", "Error", "UnsupportedOp", "Stream"]


__all__ = _export()
