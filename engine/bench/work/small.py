def render(props):
    return "ok"
