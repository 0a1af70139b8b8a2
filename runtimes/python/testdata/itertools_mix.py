import itertools as it
import operator as op


def render(props):
    rows = sorted(props["rows"], key=op.itemgetter("g"))
    return {"groups": {k: [r["v"] for r in v] for k, v in it.groupby(rows, op.itemgetter("g"))},
            "product": ["".join(p) for p in it.product("ab", repeat=2)], "comb": len(list(it.combinations(range(10), 3))),
            "acc": list(it.accumulate([1, 2, 3, 4], op.mul)), "batched": list(it.batched("abcdefg", 3)),
            "pair": list(it.pairwise([1, 2, 3])), "slice": list(it.islice(it.count(5, 5), 2, 5)), "zip": list(it.zip_longest("ab", "c", fillvalue="-")),
            "chain": list(it.chain.from_iterable([[1], [2, 3]])), "take": list(it.takewhile(lambda x: x < 3, range(9)))}
