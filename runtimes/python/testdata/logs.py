import io
import logging


def render(props):
    out = io.StringIO()
    log = logging.getLogger("app.part")
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)-8s %(name)s:%(funcName)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    log.debug("hidden")
    log.info("%s of %d", "one", 3)
    try:
        {}["k"]
    except KeyError:
        log.warning("failed", exc_info=False, stack_info=False)
    log.removeHandler(handler)
    return out.getvalue()
