import difflib


def render(props):
    a, b = props["a"].splitlines(True), props["b"].splitlines(True)
    return "".join(difflib.unified_diff(a, b, "a", "b")) + \
        f"{difflib.SequenceMatcher(None, props['a'], props['b']).ratio():.4f} " + \
        str(difflib.get_close_matches("appel", ["ape", "apple", "peach"]))
