# The functions of operations, by name. Those of which an array is the first argument are methods, too.

_F = {}
_METHODS = []


def _function(f):
    name = f.__name__.rstrip("_")
    _F[name] = f
    return f


def _unary(name):
    def f(x, /):
        return _make(name, (_array_of(x),))
    return f


def _binary(name):
    def f(x1, x2, /):
        return _make(name, _operands(name, (x1, x2)))
    return f


def _reduction(name):
    def f(x, /, axis=None, keepdims=False):
        a = _array_of(x)
        return _make(name, (a,), (_axes(name, a, axis), keepdims))
    return f


def _arg(name):
    def f(x, /, axis=None, keepdims=False):
        a = _array_of(x)
        if axis is not None:
            return _make(name, (a,), (_axis(name, a, axis), keepdims))
        r = _make(name, (_flat(a),), (0, False))
        return _make("reshape", (r,), ((1,) * a.ndim,)) if keepdims else r
    return f


def _filled(name):
    def f(shape, dtype="float32"):
        return _make(name, (), (_checked(name, _shape, shape),), _dtype(dtype))
    return f


def _random(name):
    def f(shape, dtype="float32", seed=0):
        return _make(name, (), (_checked(name, _shape, shape), seed), _dtype(dtype))
    return f


for _name, _op in _OPS.items():
    if _op.shape is _SHAPES["unchanged"] and _op.types != "converted":
        _F[_name] = _unary(_name)
    elif _op.shape is _SHAPES["stretched"] and _op.arity == 2:
        _F[_name] = _binary(_name)
    elif _op.shape in (_SHAPES["reduced"], _SHAPES["reduced-nonempty"]):
        _F[_name] = _reduction(_name)
    elif _op.shape is _SHAPES["reduced-one"]:
        _F[_name] = _arg(_name)
for _name in ("zeros", "ones"):
    _F[_name] = _filled(_name)
for _name in ("random_uniform", "random_normal"):
    _F[_name] = _random(_name)


def _checked(name, f, *args, inputs=()):
    try:
        return f(*args)
    except _Wrong as e:
        text = str(e)
    _refuse(name, inputs, text)


@_function
def asarray(data, /, dtype=None, shape=None):
    return _array_of(data, 0 if dtype is None else _dtype(dtype), shape)


@_function
def constant(data=None, /, dtype=None, shape=None, *, digest=None):
    d = 0 if dtype is None else _dtype(dtype)
    if digest is not None:
        if data is not None or type(digest) is not str or not d or shape is None:
            _bad("constant takes data, or the digest, dtype and shape of one that is there")
        a = _make("constant", (), (_checked("constant", _shape, shape),), d)
        a._n.digest = digest
        return a
    if type(data) is Array:
        n = _resolve(data)
        if n.op is not _ASARRAY or d and d != n.dtype:
            _bad("constant takes data: evaluate the array before, and give the dtype that the data have")
        contents, own, own_shape = n.data, n.dtype, n.shape
    else:
        contents, own, own_shape = _checked("constant", _data, data, d)
        if d and own != d:
            values = _elements(_leaf(contents, own, own_shape))
            contents, own = _checked("constant", _store, values, d), d
    if shape is not None:
        own_shape = _checked("constant", _fit, shape, math.prod(own_shape))
    return _leaf(contents, own, own_shape, "constant")


@_function
def full(shape, fill_value, dtype=None):
    d = _guess([fill_value]) if dtype is None else _dtype(dtype)
    return _make("full", (), (_checked("full", _shape, shape), _coerced(fill_value, d)), d)


@_function
def arange(start, /, stop=None, step=1, dtype=None):
    if stop is None:
        start, stop = 0, start
    for v in (start, stop, step):
        if type(v) not in (int, float):
            _bad(f"arange takes numbers, not {_short(v)}")
    d = _guess([start, stop, step]) if dtype is None else _dtype(dtype)
    if step == 0:
        _bad("the step of arange is 0")
    if int is type(start) is type(stop) is type(step):
        n = len(range(start, stop, step))
    else:
        n = (stop - start) / step
        n = _max(0, math.ceil(n)) if math.isfinite(n) else _bad("arange takes finite numbers")
    return _make("arange", (), (n, _coerced(start, d), _coerced(step, d)), d)


@_function
def linspace(start, /, stop, num, dtype="float32", endpoint=True):
    return _make("linspace", (), (num, start, stop, endpoint), _dtype(dtype))


@_function
def eye(n_rows, /, n_cols=None, k=0, dtype="float32"):
    return _make("eye", (), (n_rows, n_rows if n_cols is None else n_cols, k), _dtype(dtype))


@_function
def astype(x, /, dtype):
    a, d = _array_of(x), _dtype(dtype)
    return a if _type(a)[0] == d else _make("astype", (a,), (), d)


@_function
def where(condition, x1, x2, /):
    return _make("where", (_array_of(condition), *_operands("where", (x1, x2))))


@_function
def clip(x, /, min=None, max=None):
    if min is None:
        return _array_of(x) if max is None else _make("minimum", _operands("clip", (x, max)))
    if max is None:
        return _make("maximum", _operands("clip", (x, min)))
    return _make("clip", _operands("clip", (x, min, max)))


@_function
def var(x, /, axis=None, keepdims=False, correction=0):
    a = _array_of(x)
    return _make("var", (a,), (_axes("var", a, axis), keepdims, correction))


@_function
def cumulative_sum(x, /, axis=None):
    a = _array_of(x)
    return _make("cumulative_sum", (a,), (_one_axis("cumulative_sum", a, axis),))


@_function
def reshape(x, /, *lengths, shape=None):
    a = _array_of(x)
    if shape is None:
        shape = lengths[0] if len(lengths) == 1 else lengths
    return _make("reshape", (a,), (_checked("reshape", _fit, shape, a.size, inputs=[_type(a)]),))


@_function
def permute_dims(x, /, axes):
    a = _array_of(x)
    if type(axes) not in (tuple, list) or len(axes) != a.ndim:
        _refuse("permute_dims", [_type(a)], f"axes are {_short(axes)}: {a.ndim} are expected")
    _axes("permute_dims", a, axes)
    return _make("permute_dims", (a,), (tuple(_axis("permute_dims", a, i) for i in axes),))


@_function
def expand_dims(x, /, axis=0):
    a = _array_of(x)
    return _make("expand_dims", (a,), (_axis("expand_dims", a, axis, a.ndim + 1),))


@_function
def squeeze(x, /, axis):
    a = _array_of(x)
    return _make("squeeze", (a,), (_axes("squeeze", a, axis),))


@_function
def broadcast_to(x, /, shape):
    a = _array_of(x)
    return _make("broadcast_to", (a,), (_checked("broadcast_to", _shape, shape, inputs=[_type(a)]),))


@_function
def concat(arrays, /, axis=0):
    if type(arrays) not in (tuple, list) or not arrays:
        _bad("concat takes a list of arrays")
    arrays = _operands("concat", arrays)
    if axis is None:
        arrays, axis = [_flat(a) for a in arrays], 0
    return _make("concat", arrays, (_axis("concat", arrays[0], axis),))


@_function
def slice_(x, /, index):
    a = _array_of(x)
    start, step, count, shape = _checked("slice", _ranges, a, index, inputs=[_type(a)])
    r = _make("slice", (a,), (start, step, count))
    return r if shape == count else _make("reshape", (r,), (shape,))


@_function
def take(x, indices, /, axis=None):
    a = _array_of(x)
    return _make("take", (a, _array_of(indices, 0 if type(indices) is Array or _buffer(indices) else _INTEGER)), (_one_axis("take", a, axis),))


@_function
def matmul(x1, x2, /, tf32=False):
    return _make("matmul", _operands("matmul", (x1, x2)), (tf32,))


@_function
def softmax(x, /, axis=-1):
    a = _array_of(x)
    return _make("softmax", (a,), (_axis("softmax", a, axis),))


@_function
def layer_norm(x, /, axis=-1, eps=1e-5):
    a = _array_of(x)
    return _make("layer_norm", (a,), (_axis("layer_norm", a, axis), eps))


@_function
def topk(x, /, k, axis=-1, largest=True):
    a = _array_of(x)
    n = _node("topk", (a,), (_axis("topk", a, axis), k, largest))
    return Array(n, 0), Array(n, 1)


def _sorted(x, axis, descending):
    a = _array_of(x)
    return _node("sort", (a,), (_axis("sort", a, axis), descending))


@_function
def sort(x, /, axis=-1, descending=False):
    return Array(_sorted(x, axis, descending), 0)


@_function
def argsort(x, /, axis=-1, descending=False):
    return Array(_sorted(x, axis, descending), 1)
