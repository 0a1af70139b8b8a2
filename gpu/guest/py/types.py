# What is wrong, types, shapes and attributes.

_BOOL, _INT, _FLOAT = 1, 2, 4
_NUMBER, _INTEGER, _TRUTH = _DTYPES.index("float32"), _DTYPES.index("int64"), _DTYPES.index("bool")
_MAX = 0x7fffffff
_RANGES = {"bool": (0, 1), "uint8": (0, 255), "int32": (-1 << 31, (1 << 31) - 1), "int64": (-1 << 63, (1 << 63) - 1)}
# Codes of the module array; half floats it has not.
_CODES = {"bool": "B", "uint8": "B", "int32": "i", "int64": "q", "float16": "H", "bfloat16": "H", "float32": "f", "float64": "d"}
# What the elements of buffers of other codes become.
_TYPED = {"B": "uint8", "b": "int32", "h": "int32", "H": "int32", "i": "int32", "I": "int64", "q": "int64", "Q": "int64",
          "f": "float32", "d": "float64", "e": "float16", "?": "bool"}


class Error(HostError):
    """Something is wrong with an operation, or the host has refused it. `code` is for programs.

    `op`, `shapes` and `dtypes` are of the operation, if it was one, and `file` and `line` say
    where the component made it."""

    def __init__(self, code, message, call=0, op="", inputs=()):
        super().__init__(code, message, call)
        self.op = op
        self.shapes = [shape for _, shape in inputs]
        self.dtypes = [_DTYPES[d] for d, _ in inputs]
        self.file, self.line = _where()
        self._late = False

    def __str__(self):
        text = super().__str__()
        return f"{text} (made at {self.file}, line {self.line})" if self._late else text


class UnsupportedOp(Error, AttributeError):
    """There is no such function. `nearest` is the name of what comes near to it."""

    nearest = None


class _Wrong(Exception):
    """What is wrong with an operation: its name and inputs are not known here."""


def _where():
    """File and line of the component's code that is running."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in _OWN:
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("", 0)


# Stack traces leave files of this name out. The functions that components call first have it, so that traces of errors
# begin at the component's line.
_HIDDEN = "<frozen spore>"
_OWN = (__file__, _HIDDEN)


def _bad(text):
    raise Error("invalid_argument", text)


def _words(shape):
    return "(" + ", ".join(map(str, shape)) + (",)" if len(shape) == 1 else ")")


def _typed(t):
    return _DTYPES[t[0]] + _words(t[1])


def _refuse(name, inputs, text):
    words = [_typed(t) for t in inputs]
    if len(words) > 5:
        words[4:] = [f"… {len(words)} inputs"]
    raise Error("invalid_argument", f"{name}({', '.join(words)}): {text}", 0, name, inputs)


def _short(v):
    text = v if type(v) is str else repr(v)
    return text if len(text) <= 40 else text[:40] + "…"


# ---- types ----

def _dtype(name):
    d = _DTYPES.index(name) if type(name) is str and name in _DTYPES else 0
    if d < 1:
        name = name if type(name) is str else getattr(name, "__name__", None) or repr(name)
        _bad(f"unknown dtype {_short(name)}: {', '.join(_DTYPES[1:])} are known")
    return d


def _promote(a, b):
    if a == b:
        return a
    if _KINDS[a] != _KINDS[b]:
        return 0
    return _NUMBER if _SIZES[a] == _SIZES[b] else _max(a, b)    # float16 and bfloat16 meet in float32


def _kind_words(kinds):
    return {_BOOL: "bool", _INT: "integers", _FLOAT: "floats", _INT | _FLOAT: "numbers"}.get(kinds, "bool or integers")


def _common(inputs, kinds):
    d = inputs[0][0]
    for t in inputs:
        if not _KINDS[t[0]] & kinds:
            raise _Wrong(f"{_DTYPES[t[0]]} is not supported: {_kind_words(kinds)} are (use astype)")
        p = _promote(d, t[0])
        if not p:
            raise _Wrong(f"{_DTYPES[d]} and {_DTYPES[t[0]]} do not mix: use astype")
        d = p
    return d


def _infer_dtype(op, inputs, d):
    """The type of an operation's first result, by its rule."""
    rule = op.types
    if rule == "promoted":
        for i in range(op.first):
            if inputs[i][0] != _TRUTH:
                raise _Wrong(f"input {i} is {_DTYPES[inputs[i][0]]}: bool is expected")
        return _common(inputs[op.first:], op.kinds)
    if rule == "same":
        return _common(inputs, op.kinds)
    if rule == "fixed":
        _common(inputs, op.kinds)
        return op.first
    if rule == "summed":
        return inputs[0][0] if _KINDS[inputs[0][0]] == _FLOAT else _INTEGER
    if rule == "indexed":
        if _DTYPES[inputs[1][0]] not in ("int32", "int64"):
            raise _Wrong(f"indices are {_DTYPES[inputs[1][0]]}: int32 or int64 is expected")
        return inputs[0][0]
    if rule == "declared" and not _KINDS[d] & op.kinds:
        raise _Wrong(f"{_DTYPES[d]} is not supported: {_kind_words(op.kinds)} are")
    return d


# ---- shapes ----

def _broadcast(shapes):
    first = shapes[0]
    if _all(s == first for s in shapes):
        return first
    rank = _max(map(len, shapes))
    out = [1] * rank
    for s in shapes:
        for i, n in enumerate(s, rank - len(s)):
            if n == 1 or n == out[i]:
                continue
            if out[i] != 1:
                raise _Wrong(f"shapes {' and '.join(map(_words, shapes))} cannot be broadcast")
            out[i] = n
    return tuple(out)


def _without(s, axes, keep, empty):
    out = []
    for i, n in enumerate(s):
        if i not in axes:
            out.append(n)
        elif n == 0 and not empty:
            raise _Wrong(f"axis {i} has no elements")
        elif keep:
            out.append(1)
    return tuple(out)


def _multiplied(a, b):
    if not a or not b:
        raise _Wrong("an input has rank 0")
    k = b[-2] if len(b) > 1 else b[0]
    if a[-1] != k:
        raise _Wrong(f"inner lengths {a[-1]} and {k} differ")
    return (*_broadcast([a[:-2], b[:-2]]), *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def _reshaped(s, shape):
    if math.prod(shape) != math.prod(s):
        raise _Wrong(f"{_words(shape)} has {math.prod(shape)} elements, not {math.prod(s)}")
    return shape


def _squeezed(s, axes):
    for a in axes:
        if s[a] != 1:
            raise _Wrong(f"axis {a} has length {s[a]}, not 1")
    return _without(s, axes, False, True)


def _broadcast_to(s, shape):
    try:
        fits = _broadcast([shape, s]) == shape
    except _Wrong:
        fits = False
    if not fits:
        raise _Wrong(f"it cannot be broadcast to {_words(shape)}")
    return shape


def _joined(shapes, axis):
    out = list(shapes[0])
    for i, s in enumerate(shapes[1:], 1):
        if len(s) != len(out):
            raise _Wrong(f"input {i} has rank {len(s)}, not {len(out)}")
        for j, n in enumerate(s):
            if j == axis:
                out[j] += n
            elif n != out[j]:
                raise _Wrong(f"input {i} has length {n} along axis {j}, not {out[j]}")
    return tuple(out)


def _taken(s, indices, axis):
    if s[axis] == 0 and math.prod(indices) > 0:
        raise _Wrong(f"axis {axis} has no elements")
    return (*s[:axis], *indices, *s[axis + 1:])


def _selected(s, axis, k):
    if k > s[axis]:
        raise _Wrong(f"k is {k}, axis {axis} has length {s[axis]}")
    return (*s[:axis], k, *s[axis + 1:])


# By name of the rule, of the inputs' shapes and the attributes. Axes are in range and in order by then.
_SHAPES = {
    "given": lambda s, a: a[0],
    "counted": lambda s, a: (a[0],),
    "matrix": lambda s, a: (a[0], a[1]),
    "unchanged": lambda s, a: s[0],
    "axis": lambda s, a: s[0],
    "stretched": lambda s, a: _broadcast(s),
    "reduced": lambda s, a: _without(s[0], a[0], a[1], True),
    "reduced-nonempty": lambda s, a: _without(s[0], a[0], a[1], False),
    "reduced-one": lambda s, a: _without(s[0], (a[0],), a[1], False),
    "reshaped": lambda s, a: _reshaped(s[0], a[0]),
    "permuted": lambda s, a: tuple(s[0][i] for i in a[0]),
    "expanded": lambda s, a: (*s[0][:a[0]], 1, *s[0][a[0]:]),
    "squeezed": lambda s, a: _squeezed(s[0], a[0]),
    "broadcast": lambda s, a: _broadcast_to(s[0], a[0]),
    "joined": lambda s, a: _joined(s, a[0]),
    "sliced": lambda s, a: a[2],
    "taken": lambda s, a: _taken(s[0], s[1], a[0]),
    "multiplied": lambda s, a: _multiplied(s[0], s[1]),
    "selected": lambda s, a: _selected(s[0], a[0], a[1]),
}


# ---- attributes, as bytes of the program ----

def _varint(b, v):
    while v > 127:
        b.append(v & 127 | 128)
        v >>= 7
    b.append(v)


def _signed(b, v):
    _varint(b, -2 * v - 1 if v < 0 else 2 * v)


def _whole(v, name, low, high):
    try:
        i = operator.index(v) if type(v) is not _bool else None
    except TypeError:
        i = None
    if i is None or not low <= i <= high:
        raise _Wrong(f"{name} is {_short(v)}: a whole number from {low} to {high} is expected")
    return i


def _attribute(b, spec, v, d):
    """Appends an attribute, whose spec is its kind, name, smallest and largest value."""
    kind, name, low, high = spec
    if kind == "int":
        _signed(b, _whole(v, name, low, high))
    elif kind == "bool":
        b.append(1 if v else 0)
    elif kind == "ints":
        _varint(b, len(v))
        for x in v:
            _signed(b, _whole(x, name, low, high))
    elif kind == "shape":
        _varint(b, len(v))
        for x in v:
            _varint(b, _whole(x, name, low, high))
    elif kind == "float":
        if type(v) not in (int, float) or not 0 <= v < math.inf:
            raise _Wrong(f"{name} is {_short(v)}: it is finite and not negative")
        b += struct.pack("<d", v)
    elif kind == "scalar":
        b += _scalar(v, d)
    else:       # a seed
        b += struct.pack("<Q", _whole(v, name, -1 << 63, (1 << 64) - 1) & (1 << 64) - 1)


def _scalar(v, d):
    """The bits of a plain number as an element of type d. Kinds do not mix."""
    t, kind, name = type(v), _KINDS[d], _DTYPES[d]
    if kind == _BOOL and t is _bool:
        return b"\1\0\0\0\0\0\0\0" if v else bytes(8)
    if kind == _FLOAT and (t is float or t is int):
        try:
            return struct.pack("<d", v)
        except OverflowError:
            raise _Wrong(f"{_short(v)} is no {name}") from None
    if kind == _INT and t is int:
        low, high = _RANGES[name]
        if not low <= v <= high:
            raise _Wrong(f"{_short(v)} is no {name}")
        return struct.pack("<q", v)
    raise _Wrong(f"{_short(v)} and {name} do not mix: use astype")
