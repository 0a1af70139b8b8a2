import contextlib
import io


@contextlib.contextmanager
def tag(name, out):
    out.append(f"<{name}>")
    try:
        yield
    finally:
        out.append(f"</{name}>")


def render(props):
    out = []
    with contextlib.ExitStack() as stack:
        for name in ("div", "p", "b"):
            stack.enter_context(tag(name, out))
        out.append("text")
    with contextlib.suppress(ZeroDivisionError):
        1 / 0
    captured = io.StringIO()
    with contextlib.redirect_stdout(captured):
        print("captured", 1, sep="-")
    return "".join(out) + captured.getvalue()
