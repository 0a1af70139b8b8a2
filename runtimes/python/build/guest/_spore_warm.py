"""Imports and warm-up for the image of the runtime; see _spore_guest.boot."""

import asyncio, base64, bisect, calendar, collections, contextlib, copy, csv, dataclasses
import datetime, decimal, difflib, enum, fractions, functools, graphlib, hashlib, heapq
import hmac, html, html.parser, inspect, io, itertools, json, logging, math, numbers
import operator, pprint, random, re, secrets, statistics, string, textwrap, time
import traceback, types, typing, unicodedata, urllib.parse, uuid, weakref, zoneinfo
import jinja2, markupsafe

import spore
import _spore_cells
import _spore_guest


@dataclasses.dataclass
class _Row:
    name: str
    price: float = 0.0
    tags: list = dataclasses.field(default_factory=list)


class _Colour(enum.Enum):
    RED = "red"


def _table(rows):
    out = ["<table>"]
    for i, row in enumerate(rows):
        out.append(f"<tr class={'odd' if i % 2 else 'even'}><td>{html.escape(row['name'])}</td>"
                   f"<td>{row['price']:>10,.2f}</td><td>{', '.join(row['tags'])}</td></tr>")
    out.append("</table>")
    return "".join(out)


async def _coroutine():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
    async with asyncio.timeout(10):
        await asyncio.sleep(0)
    return 1


def _fail():
    try:
        {}["missing"]
    except KeyError as e:
        raise ValueError("warm-up") from e


def run():
    rows = [{"name": f"Item <{i}>", "price": i * 1.5, "tags": ["a", "b"]} for i in range(20)]
    for _ in range(3):
        text = _table(rows)
        re.sub(r"<(\w+)[^>]*>", r"[\1]", text)
        re.findall(r"\d+", text)
        encoded = json.dumps({"rows": rows, "n": None, "t": True}, indent=2, sort_keys=True)
        json.loads(encoded)
        sorted(rows, key=lambda r: (-r["price"], r["name"]))
        sorted(rows, key=operator.itemgetter("name"), reverse=True)
        row = _Row("x", 2.5, ["y"])
        repr(row), row == dataclasses.replace(row, name="z"), dataclasses.asdict(row)
        "{:>8} {!r} {:.3f} %s %5d" .format("a", "b", 1.25) % ("c", 7)
        collections.Counter(text).most_common(3)
        collections.defaultdict(list)["a"].append(1)
        datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC).isoformat()
        datetime.datetime.strptime("2026-01-02", "%Y-%m-%d").strftime("%d %B %Y")
        decimal.Decimal("1.10").quantize(decimal.Decimal("0.1"))
        textwrap.dedent("  a\n  b"), string.Template("$a").substitute(a=1)
        functools.lru_cache(lambda x: x)(1)
        math.sqrt(2), statistics.mean([1, 2, 3]), fractions.Fraction(1, 3) + 1
        base64.b64encode(b"abc"), hashlib.sha256(b"abc").hexdigest()
        uuid.UUID(int=1), urllib.parse.quote("a b"), zoneinfo.ZoneInfo("UTC")
        frame = _spore_guest.encode([row, _Colour.RED, {1}, datetime.date(2026, 1, 1)], 0)
        _spore_guest.scan("".join(frame), 0)
        try:
            _fail()
        except ValueError as e:
            _spore_guest.report("error", e)
        _spore_guest.begin(_coroutine())
        cell = {"__name__": "component", "asyncio": asyncio}
        _spore_cells.execute(cell, "def f(x): return {'x': [x, 'a']}\nf(1.5)", "warm-up")
        _spore_guest.begin(_spore_cells.execute(cell, "await asyncio.sleep(0)\n_", "warm-up"))
    jinja2.Environment(autoescape=True).from_string(
        "{% for r in rows %}{{ r.name|upper }}{{ loop.index }}{% endfor %}").render(rows=rows)
    print(end="")
    random.random()
    sys_caches()


def sys_caches():
    """Drops what only the warm-up needed."""
    _spore_guest._loop = None
    _spore_cells.forget()
    jinja2.clear_caches()
    re.purge()
