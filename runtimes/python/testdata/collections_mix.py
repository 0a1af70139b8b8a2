from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple

Point = namedtuple("Point", "x y", defaults=[0])


def render(props):
    groups = defaultdict(list)
    for word in props["words"]:
        groups[len(word)].append(word)
    ordered = OrderedDict(a=1, b=2, c=3)
    ordered.move_to_end("a")
    ring = deque(range(5), maxlen=3)
    ring.rotate(1)
    return {"groups": groups, "common": Counter("".join(props["words"])).most_common(3), "ordered": ordered,
            "ring": list(ring), "point": Point(1)._replace(y=5), "chain": dict(ChainMap({"a": 1}, {"a": 2, "b": 3}))}
