def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


def averager():
    total = count = 0
    average = None
    while True:
        value = yield average
        total += value
        count += 1
        average = total / count


def render(props):
    g = averager()
    next(g)
    averages = [g.send(v) for v in (10, 20, 60)]
    g.close()
    first, *rest, last = tree(4)
    return {"tree": [first, len(rest), last], "averages": averages, "pairs": [(i, j) for i in range(4) for j in range(i) if (i + j) % 2],
            "dict": {k: v for k, v in zip("abc", range(3))}, "walrus": [y for x in range(6) if (y := x * x) > 5]}
