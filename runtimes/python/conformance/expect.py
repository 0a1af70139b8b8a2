"""Writes what each component of ../testdata returns on this interpreter.

    PYTHONHASHSEED=0 python3.13 expect.py [NAME...]

NAME.out gets the text, or the JSON, of render(props) with the props of
NAME.props.json. Meant for a CPython of the runtime's version on another platform,
so that the runtime has an independent reference. Jinja2 and MarkupSafe must be
importable, and PYTHONTZPATH should name time zone data as new as the runtime's.
"""

import asyncio
import dataclasses
import datetime
import decimal
import enum
import inspect
import json
import pathlib
import sys
import types
import uuid

HERE = pathlib.Path(__file__).parent.parent / "testdata"


def plain(o):
    if dataclasses.is_dataclass(o):
        return {f.name: getattr(o, f.name) for f in dataclasses.fields(o)}
    if isinstance(o, (datetime.date, datetime.time)):
        return o.isoformat()
    if isinstance(o, (decimal.Decimal, uuid.UUID)):
        return str(o)
    if isinstance(o, enum.Enum):
        return o.value
    if isinstance(o, (set, frozenset)):
        return list(o)
    raise TypeError(f"cannot return {type(o)}")


def output(path):
    module = types.ModuleType("component")
    module.__file__ = path.name
    sys.modules["component"] = module
    source = path.read_text("utf-8")
    import linecache
    linecache.cache[path.name] = (len(source), None, source.splitlines(True), path.name)
    exec(compile(source, path.name, "exec"), module.__dict__)
    props = path.with_suffix(".props.json")
    takes = inspect.signature(module.render).parameters
    args = [json.loads(props.read_text("utf-8")) if props.exists() else None] if takes else []
    value = module.render(*args)
    if inspect.isawaitable(value):
        async def wait():
            return await value
        value = asyncio.run(wait())
    if isinstance(value, str):
        return value
    return json.dumps(value, default=plain, ensure_ascii=False, allow_nan=False,
                      separators=(",", ":"))


if __name__ == "__main__":
    names = sys.argv[1:] or sorted(p.stem for p in HERE.glob("*.py"))
    for name in names:
        (HERE / f"{name}.out").write_bytes(output(HERE / f"{name}.py").encode("utf-8"))
