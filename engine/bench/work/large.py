rows = [{"id": i, "name": f"row {i}", "calls": [0]} for i in range(150_000)]


def render(props):
    calls = rows[-1]["calls"]
    calls[0] += 1
    return "ok" if calls[0] == 1 else "not fresh"
