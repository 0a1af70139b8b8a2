# Values that become arrays, and arguments.


def _is_plain(x):
    t = type(x)
    return t is int or t is float or t is _bool


def _scan(x):
    """The elements of nested lists and their shape."""
    if _is_plain(x):
        return [x], ()
    shape, level = [], [x]
    while True:
        kinds = set(map(type, level))
        if not kinds or kinds.isdisjoint((list, tuple, range, _array.array)):
            break
        if not kinds.issubset((list, tuple, range, _array.array)):
            raise _Wrong("the rows have different lengths")
        lengths = set(map(len, level))
        if len(lengths) > 1:
            raise _Wrong("the rows have different lengths")
        if len(shape) == 32:
            raise _Wrong("there are more than 32 dimensions")
        shape.append(lengths.pop())
        level = list(chain.from_iterable(level))
    for t in kinds - {int, float, _bool}:
        if t is Array:
            raise _Wrong("a list of arrays is joined by concat")
        raise _Wrong(f"an element is of type {t.__name__}: int, float and bool are expected")
    return level, tuple(shape)


def _guess(values):
    """The type of plain numbers: bool, int64 or float32."""
    kinds = set(map(type, values))
    return _TRUTH if kinds == {_bool} else _INTEGER if kinds == {int} else _NUMBER


def _coerced(v, d):
    """v as a number of type d, for which the component has asked: then a whole float is an integer, too."""
    return int(v) if type(v) is float and _KINDS[d] == _INT and v.is_integer() else v


def _store(values, d):
    """The bytes of plain numbers as elements of type d."""
    name, kinds = _DTYPES[d], set(map(type, values))
    if _KINDS[d] == _FLOAT:
        allowed = {int, float}
    elif _KINDS[d] == _INT:
        values = [_coerced(v, d) for v in values] if float in kinds else values
        allowed, kinds = {int}, set(map(type, values))
    else:
        allowed = {_bool}
    if kinds - allowed:
        wrong = next(v for v in values if type(v) not in allowed)
        raise _Wrong(f"{_short(wrong)} and {name} do not mix: use astype")
    try:
        if name == "float16":
            try:
                return struct.pack(f"<{len(values)}e", *values)
            except OverflowError:
                return b"".join(map(_half, values))
        if name == "bfloat16":
            bits = memoryview(_array.array("f", values)).cast("B").cast("I")
            return _array.array("H", [_rounded(b) for b in bits]).tobytes()
        return _array.array(_CODES[name], values).tobytes()
    except OverflowError:
        wrong = next((v for v in values if _KINDS[d] == _FLOAT or not _RANGES[name][0] <= v <= _RANGES[name][1]), "")
        raise _Wrong(f"{_short(wrong)} is no {name}") from None


def _half(v):
    try:
        return struct.pack("<e", v)
    except OverflowError:       # rounded to infinity
        return struct.pack("<e", math.copysign(math.inf, v))


def _rounded(b):
    """The upper half of the bits of a float32, rounded to the nearest."""
    if b & _MAX > 0x7f800000:
        return b >> 16 | 64
    return (b + 0x7fff + (b >> 16 & 1)) >> 16


def _buffer(x):
    """(data, dtype, shape) of an object with a buffer, or None. Bytes have no type: 0."""
    if type(x) in (bytes, bytearray):
        return bytes(x), 0, None
    if type(x) is _array.array:
        x = memoryview(x)
    elif type(x) is not memoryview:
        return None
    elif x.format == "B" and x.ndim == 1:
        return x.tobytes(), 0, None
    code = {4: "i", 8: "q"}[x.itemsize] if x.format == "l" else {4: "I", 8: "Q"}[x.itemsize] if x.format == "L" else x.format
    if code not in _TYPED:
        raise _Wrong(f"elements of the code {x.format!r} are not supported: {' '.join(_TYPED)} are")
    name = _TYPED[code]
    if (_CODES[name] == code or code in "e?") and code != "H":
        return x.tobytes(), _dtype(name), x.shape
    values, _ = _scan(x.tolist()) if x.nbytes else ([], ())
    return _store(values, _dtype(name)), _dtype(name), x.shape


def _data(x, d):
    """(data, dtype, shape) of what a component gives; of type d if its type is not known otherwise."""
    given = _buffer(x)
    if given is None:
        values, shape = _scan(x)
        d = d or _guess(values)
        return _store(values, d), d, shape
    data, own, shape = given
    if not own:
        own = d or _DTYPES.index("uint8")
        if len(data) % _SIZES[own]:
            raise _Wrong(f"{len(data)} bytes are no whole number of {_DTYPES[own]}")
        shape = (len(data) // _SIZES[own],)
    return data, own, tuple(shape)


def _lengths(shape):
    if type(shape) in (tuple, list):
        return tuple(shape)
    try:
        return (operator.index(shape),)
    except TypeError:
        raise _Wrong(f"shape is {_short(shape)}: lengths are expected") from None


def _shape(shape):
    return tuple(_whole(k, "shape", 0, _MAX) for k in _lengths(shape))


def _fit(shape, n):
    """A shape of n elements, with the -1 filled in that it may have."""
    shape = _lengths(shape)
    if -1 in shape:
        i = shape.index(-1)
        rest = math.prod(_whole(k, "shape", 0, _MAX) for j, k in enumerate(shape) if j != i)
        shape = (*shape[:i], n // rest if rest and n % rest == 0 else 0, *shape[i + 1:])
    return _reshaped((n,), _shape(shape))


def _array_of(x, d=0, shape=None):
    """The array that asarray is asked for."""
    try:
        if type(x) is Array:
            a = x
        elif _is_plain(x):
            d = d or _guess([x])
            a = _make("full", (), ((), _coerced(x, d)), d)
        else:
            a = _leaf(*_data(x, d))
        if d and _type(a)[0] != d:
            a = _make("astype", (a,), (), d)
        if shape is None:
            return a
        to, n = _fit(shape, a.size), _resolve(a)
        return _leaf(n.data, n.dtype, to) if n.op is _ASARRAY else _make("reshape", (a,), (to,))
    except _Wrong as e:
        text = str(e)
    _refuse("asarray", (), text)


def _operands(name, values):
    """Arrays for what an operation takes. Plain numbers are of the type of the arrays beside them."""
    d, plain, out = 0, False, []
    for x in values:
        if type(x) is not Array:
            if _is_plain(x) or type(x) in (list, tuple, range):
                plain = True
                out.append(x)
                continue
            x = _array_of(x)
        out.append(x)
        own = _type(x)[0]
        d = _promote(d, own) or d if d else own
    if not plain:
        return out
    try:
        if not d:
            d = _guess(list(chain.from_iterable(_scan(x)[0] for x in out)))
        return [x if type(x) is Array else _plain_value(x, d) if _is_plain(x) else _array_of(x, d) for x in out]
    except _Wrong as e:
        text = str(e)
    _refuse(name, [_type(x) for x in out if type(x) is Array], text)


def _plain_value(x, d):
    return Array(_Node(_OPS["full"], d, (), (), b"\0" + _scalar(x, d), ("", 0)))


# ---- arguments ----

def _axis(name, a, axis, rank=None):
    """An axis, counted from the end if it is negative."""
    rank = a.ndim if rank is None else rank
    try:
        i = operator.index(axis)
    except TypeError:
        i = rank
    if not -rank <= i < rank:
        _refuse(name, [_type(a)], f"axis {_short(axis)} of rank {rank}")
    return i + rank if i < 0 else i


def _axes(name, a, axis):
    if axis is None:
        return tuple(range(a.ndim))
    axes = sorted(_axis(name, a, i) for i in (axis if type(axis) in (tuple, list) else (axis,)))
    if len(set(axes)) < len(axes):
        _refuse(name, [_type(a)], f"axes are {', '.join(map(str, axes))}: one is there twice")
    return tuple(axes)


def _one_axis(name, a, axis):
    if axis is None and a.ndim != 1:
        _refuse(name, [_type(a)], "an axis has to be given")
    return _axis(name, a, 0 if axis is None else axis)


def _flat(a):
    return _make("reshape", (a,), ((a.size,),))


def _ranges(a, index):
    """start, step and count for what stands in brackets, and the shape of the result."""
    items = list(index) if type(index) is tuple else [index]
    used, rank, shape = 0, a.ndim, a.shape
    for e in items:
        if type(e) is Array or type(e) in (list, _bool):
            raise _Wrong("an index is a number, a slice, ... or None: use take for a list of indices, and where for a mask")
        used += e is not ... and e is not None
    if used > rank:
        raise _Wrong(f"{used} indices for rank {rank}")
    dots = [i for i, e in enumerate(items) if e is ...]
    if len(dots) > 1:
        raise _Wrong("there are two ...")
    at = dots[0] if dots else len(items)
    items[at:at + 1] = [_slice(None)] * (rank - used)
    start, step, count, out = [], [], [], []
    for e in items:
        if e is None:
            out.append(1)
            continue
        axis = len(start)
        n = shape[axis]
        if type(e) is _slice:
            try:
                span = range(*e.indices(n))
            except (TypeError, ValueError) as error:
                raise _Wrong(str(error)) from None
            c = len(span)
            start.append(span[0] if c else 0)
            step.append(span.step if c > 1 else 1)
            out.append(c)
        else:
            try:
                i = operator.index(e)
            except TypeError:
                raise _Wrong(f"an index is a number, a slice, ... or None, not {_short(e)}") from None
            start.append(_whole(i + n if i < 0 else i, f"index of axis {axis}", 0, n - 1))
            step.append(1)
            c = 1
        count.append(c)
    return tuple(start), tuple(step), tuple(count), tuple(out)
