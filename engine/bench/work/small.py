calls = 0


def render(props):
    global calls
    calls += 1
    return "ok" if calls == 1 else "not fresh"
