rows = [{"id": i, "name": f"row {i}", "tags": [i % 7]} for i in range(100_000)]


def render(props):
    return "ok" if rows[-1]["id"] == 99_999 else "lost"
