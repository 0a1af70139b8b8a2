def render():
    return "called without props"
