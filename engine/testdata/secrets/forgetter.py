# Uses secrets in all the ways that come to mind, and keeps none. See TestSecretsAreForgotten.
import spore, asyncio, base64, binascii, collections, contextlib, contextvars, copy, csv, dataclasses, datetime, decimal, functools, gc, hashlib, hmac, html, io, itertools, json, pickle, re, string, struct, sys, textwrap, traceback, urllib.parse, uuid, zlib, random, array, heapq, sqlite3, operator, enum
def text(p): return spore.call_sync("vault.text", p)
def data(p): return spore.call_sync("vault.bytes", p)["data"]
kept = None
class old:
    list = []
    dict = {}
    buffer = bytearray(64)
    digest = hashlib.sha256()
    text = None
word = re.compile(r"(\w{4})(?P<rest>.*)", re.S)
var = contextvars.ContextVar("var")
def render(): return "ready"
def keepText(p):
    global kept
    kept = text(p)
def keepBytes(p):
    global kept
    kept = data(p)

def wayDrop(p): return len(text(p))
def wayReturn(p): return text(p)
def wayReturnObject(p): return spore.call_sync("vault.object", p)
def wayBytes(p): return sum(data(p))
def wayReturnBytes(p): return data(p)
async def wayAwait(p): return len(await spore.call("vault.text", p))
async def wayTogether(p):
    return len(await asyncio.gather(*[spore.call("vault.object", p) for _ in range(3)]))
async def wayWait(p):
    n = len(await spore.call("vault.text", p)) + len(text(p))
    return n + await spore.call("vault.later", {})
async def wayWaitBeside(p):
    async def token(): return len((await spore.call("vault.object", p))["token"])
    return sum(await asyncio.gather(token(), spore.call("vault.later", {})))
async def wayTasks(p):
    async with asyncio.TaskGroup() as g:
        a = g.create_task(spore.call("vault.text", p))
        b = g.create_task(spore.call("vault.text", p))
    return len(a.result() + b.result())
def wayObject(p): return len(spore.call_sync("vault.object", p))
def wayConcat(p):
    s = ""
    for i in range(5):
        s += text(p) + str(i)
    return len(s)
def wayFormat(p):
    t = text(p)
    return len(f"Bearer {t!r:>50}, {t}") + len("%s:%r" % (t, t)) + len("{} {x}".format(t, x=t))
def wayJoin(p): return len("-".join(reversed(text(p)))) + len(text(p).split("a"))
def wayHash(p): return hash(text(p)) & 1 + len({text(p): text(p), "a": 1}) + len({text(p)})
def wayDigest(p):
    t = text(p).encode()
    return hashlib.sha256(t).hexdigest()[:4] + hmac.new(t, t, "sha256").hexdigest()[:4] + hashlib.md5(t).hexdigest()[:4]
def wayMatch(p): return len(word.match("abcd" + text(p))["rest"])
def waySub(p): return len(word.sub(lambda m: m[1].upper(), text(p)))
def wayParse(p): return len(json.loads(json.dumps({"a": [text(p)], "b": {text(p): text(p)}})))
def wayCase(p):
    t = text(p)
    return len(t.upper() + t.title() + t.casefold() + t.strip() + t.zfill(10) + t.translate({97: "b"}) + t.replace("a", "bb"))
def wayCaught(p):
    try:
        raise ValueError("no " + text(p))
    except ValueError:
        return len(traceback.format_exc())
def wayRaise(p): raise TypeError("bad token " + text(p))
def wayRaiseCause(p):
    try:
        raise ValueError(text(p))
    except ValueError as e:
        raise RuntimeError("outer") from e
def wayRaiseContext(p):
    t = text(p)
    try:
        {}[t]
    except KeyError:
        int(t)
async def wayRaiseLater(p):
    t = await spore.call("vault.text", p)
    raise ValueError(t)
def wayRaiseArgs(p):
    class Odd(Exception): pass
    raise Odd(text(p), {"t": text(p)})
def wayFail(p):
    try:
        spore.call_sync("vault.fail", p)
    except spore.HostError as e:
        return len(str(e))
def wayRaiseFail(p): spore.call_sync("vault.fail", p)
async def wayFailLater(p):
    try:
        await spore.call("vault.fail", p)
    except spore.HostError as e:
        return e.code
def wayGenerator(p):
    def g():
        t = text(p)
        yield len(t)
        yield t
    return next(g())
async def wayAsyncGenerator(p):
    async def g():
        t = await spore.call("vault.text", p)
        yield len(t)
        yield t
    async with contextlib.aclosing(g()) as it:
        async for n in it:
            return n
def wayClosure(p):
    t = text(p)
    f = lambda: len(t)
    return f()
def wayCycle(p):
    o = {"t": text(p)}
    o["self"] = o
    def f(n): return f(n - 1) if n else len(o["t"])
    n = f(3)
    del o, f
    gc.collect()
    return n
def wayTraceback(p):
    try:
        t = text(p)
        1 / 0
    except ZeroDivisionError as e:
        saved = e
    n = len(traceback.format_exception(saved))
    del saved
    return n
def wayTracebackCycle(p):
    def inner():
        try:
            t = text(p)
            1 / 0
        except ZeroDivisionError as e:
            saved = e
        return 1
    inner()
    gc.collect()
    return 1
def wayClass(p):
    @dataclasses.dataclass
    class K:
        token: str
    n = len(repr(K(text(p))))
    del K
    gc.collect()
    return n
def waySlots(p):
    o = dataclasses.replace(point, x=text(p))
    return len(o.x)
@dataclasses.dataclass(slots=True)
class Point:
    x: object = None
point = Point()
def wayAttribute(p):
    o = Point()
    o.x = text(p)
    return len(o.x)
def wayBase64(p): return len(base64.b64decode(base64.b64encode(text(p).encode()))) + len(binascii.unhexlify(binascii.hexlify(data(p))))
def wayURL(p): return len(urllib.parse.parse_qs(urllib.parse.urlencode({"k": text(p)})))
def wayEscape(p): return len(html.unescape(html.escape(text(p))))
def wayTemplate(p): return len(string.Template("$a").substitute(a=text(p)))
def wayWrap(p): return len(textwrap.fill(text(p)))
def wayBuffer(p):
    b = bytearray()
    for i in range(3):
        b += data(p)
    n = len(b)
    del b[4:]
    b.clear()
    global kept
    kept = b
    return n
def wayOldBuffer(p):
    d = data(p)[:64]
    old.buffer[:len(d)] = d
    old.buffer = bytearray(64)
    return len(d)
def wayOldGrows(p):
    old.buffer += data(p)
    old.buffer = bytearray(64)
def wayOldDigest(p):
    old.digest.update(data(p))
    old.digest = hashlib.sha256()
def wayOld(p):
    old.list.append(text(p)); old.dict["k"] = text(p); old.text = text(p)
    n = len(old.text)
    old.list.clear(); old.dict.clear(); old.text = None
    return n
def wayStreams(p):
    with io.StringIO() as s, io.BytesIO() as b:
        s.write(text(p)); s.write(text(p)); b.write(data(p)); b.write(data(p))
        return len(s.getvalue()) + len(b.getvalue())
def wayLines(p): return len(list(csv.reader(io.StringIO(text(p) + "," + text(p)))))
def wayPickle(p): return len(pickle.loads(pickle.dumps([text(p), data(p)])))
def wayCompress(p): return len(zlib.decompress(zlib.compress(text(p).encode() + data(p))))
def wayDatabase(p):
    with contextlib.closing(sqlite3.connect(":memory:")) as c:
        c.execute("create table t(x)")
        c.execute("insert into t values(?)", (text(p),))
        return len(c.execute("select * from t").fetchall())
def wayPack(p): return len(struct.pack("<%ds" % p["n"], data(p))) + len(array.array("B", data(p)))
def wayNumber(p):
    n = int.from_bytes(data(p)) + int(data(p).hex()[:1000], 16)
    return n.bit_length() + len(str(decimal.Decimal(int.from_bytes(data(p)[:8]))))
def wayFloat(p):
    d = data(p)[:8]
    return struct.unpack("d", d)[0] > 1.5
def waySort(p): return len(sorted([text(p), text(p), text(p)], key=str.lower)) + len(heapq.nsmallest(2, [text(p), text(p)]))
def wayGlobal(p):
    global kept
    kept = text(p)
    n = len(kept)
    kept = None
    return n
def wayContext(p):
    token = var.set(text(p))
    n = len(var.get())
    var.reset(token)
    return n
def wayPrint(p):
    print("token", text(p), {"t": text(p)})
    print(text(p), end="")
    print(text(p), file=sys.stderr)
def wayView(p):
    m = memoryview(bytearray(data(p)))
    return len(m[3:].tobytes())
def wayDeque(p):
    d = collections.deque([text(p)], maxlen=3)
    d.append(text(p)); d.rotate()
    c = collections.Counter(text(p)); q = collections.OrderedDict([(text(p), 1)]); n = collections.namedtuple("N", "a b")(text(p), 1)
    return len(d) + len(c) + len(q) + len(n)
def wayCopy(p): return len(copy.deepcopy(spore.call_sync("vault.object", p)))
def wayEval(p): return eval("len(" + repr(text(p)) + ")")
def wayExec(p):
    space = {}
    exec("t = " + repr(text(p)) + "\ndef f(): return len(t)", space)
    n = space["f"]()
    space.clear()
    return n
def wayRecursion(p):
    def f(n, t): return f(n - 1, t + str(n)) if n else len(t)
    return f(50, text(p))
def wayCodecs(p): return len(text(p).encode("utf-16").decode("utf-16").encode("utf-8").decode("latin-1").encode("unicode_escape"))
def wayWith(p):
    with contextlib.suppress(ValueError), contextlib.ExitStack() as s:
        s.callback(len, text(p))
        raise ValueError(text(p))
def wayTools(p): return len(list(itertools.permutations(text(p)[:4]))) + functools.reduce(lambda a, c: a ^ ord(c), text(p), 0)
def wayMany(p): return sum(len(text({"alphabet": p["alphabet"], "n": 24}) + str(i)) for i in range(20))
