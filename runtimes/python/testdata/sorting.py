from operator import itemgetter


def render(props):
    people = props["people"]
    by = sorted(people, key=itemgetter("age"), reverse=True)
    by.sort(key=lambda p: p["city"])
    return {"stable": [p["name"] for p in by], "words": sorted(["b", "É", "a", "ä", "Z"]), "key": sorted(["b", "A"], key=str.casefold),
            "tuples": sorted([(1, "b"), (1, "a"), (0, "z")]), "min": min(people, key=itemgetter("age"))["name"], "floats": sorted([3, 1.5, -2, True])}
