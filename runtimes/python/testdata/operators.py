import operator as op


class Vec:
    def __init__(self, *v):
        self.v = v

    def __matmul__(self, o):
        return sum(map(op.mul, self.v, o.v))

    def __getitem__(self, i):
        return self.v[i]

    def __len__(self):
        return len(self.v)

    def __contains__(self, x):
        return x in self.v

    __hash__ = None


def render(props):
    a = Vec(1, 2, 3)
    return [a @ Vec(4, 5, 6), a[-1], list(a[1:]), 2 in a, list(reversed(a)), op.attrgetter("v")(a), op.methodcaller("upper")("x"),
            [1 < 2 < 3, not [] and "yes", 0 or "or", 5 & 3 | 8 ^ 2, ~5, 1 << 5 >> 2, -2 ** 2, 7 // -2], "a" "b" * 2, [*range(3), *"xy"], {**{"a": 1}, "b": 2}]
