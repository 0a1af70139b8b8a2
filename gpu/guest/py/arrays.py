# Nodes of the graph, and arrays.


class _Op:
    __slots__ = "name", "number", "arity", "results", "types", "kinds", "first", "shape", "attrs"

    def __init__(self, *fields):
        self.name, self.number, self.arity, self.results, self.types, self.kinds, self.first, shape, attrs = fields
        self.shape = _SHAPES[shape]
        self.attrs = [_ATTRS[i] for i in attrs]


_OPS = {fields[0]: _Op(*fields) for fields in _TABLE}
_ASARRAY, _CONSTANT = _OPS["asarray"], _OPS["constant"]


class _Node:
    """What an operation computes and from what, and where the component asked for it. leaf has a node for each result
    that is there."""

    __slots__ = "op", "dtype", "shape", "inputs", "attrs", "where", "data", "digest", "leaf"

    def __init__(self, op, dtype, shape, inputs, attrs, where):
        self.op, self.dtype, self.shape, self.inputs, self.attrs, self.where = op, dtype, shape, inputs, attrs, where
        self.data = self.digest = self.leaf = None


def _node(name, inputs, attrs=(), dtype=0):
    op = _OPS[name]
    types = [_type(a) for a in inputs]
    try:
        d = _infer_dtype(op, types, dtype)
        encoded = b""
        if op.attrs:
            encoded = bytearray()
            for spec, v in zip(op.attrs, attrs):
                _attribute(encoded, spec, v, d)
        shape = op.shape([t[1] for t in types], attrs)
    except _Wrong as e:
        text = str(e)
    else:
        return _Node(op, d, shape, inputs, bytes(encoded), _where())
    _refuse(name, types, text)


def _make(name, inputs, attrs=(), dtype=0):
    return Array(_node(name, inputs, attrs, dtype))


def _leaf(data, dtype, shape, name="asarray"):
    n = _node(name, (), (shape,), dtype)
    n.data = data
    return Array(n)


class Array:
    """An array that is computed when its data are asked for. It never changes."""

    __slots__ = "_n", "_r"

    def __init__(self, node, result=0):
        if type(node) is not _Node:
            _bad("arrays are made by gpu.asarray and its like")
        self._n, self._r = node, result

    @property
    def shape(self):
        return self._n.shape

    @property
    def dtype(self):
        return _DTYPES[_type(self)[0]]

    @property
    def ndim(self):
        return len(self._n.shape)

    @property
    def size(self):
        return math.prod(self._n.shape)

    @property
    def nbytes(self):
        return math.prod(self._n.shape) * _SIZES[_type(self)[0]]

    def __repr__(self):
        return f"gpu.Array {self.dtype}{_words(self.shape)}"

    __hash__ = None

    def __len__(self):
        if not self._n.shape:
            raise TypeError("an array of rank 0 has no length")
        return self._n.shape[0]

    __contains__ = None

    # It never changes.
    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        return asarray, (self.tobytes(), self.dtype, self.shape)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(f"gpu.Array has no attribute {name!r}", name=name, obj=self)
        raise _unsupported(name, _METHODS, "method").with_traceback(None)


def _resolve(a):
    """The node of an array: one with data, once it was evaluated."""
    n = a._n
    if n.leaf is not None:
        there = n.leaf[a._r]
        if there is not None:
            a._n, a._r = there, 0
            return there
    return n


def _type(a):
    # The second results of topk and sort are int64.
    return (_INTEGER if a._r else a._n.dtype, a._n.shape)
