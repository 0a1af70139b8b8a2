package engine_test

// histories are components whose calls end in every way and leave traces everywhere.
var histories = map[string]string{
	"history.js": `import { call } from "spore";
let n = 0;
const kept = new Map();
export const render = () => n;
export const step = p => {
	n += p.by;
	kept.set("k" + n % 13, { at: Date.now(), r: Math.random(), big: "x".repeat(p.size), raw: new Uint8Array(p.size).fill(n) });
	kept.delete("k" + p.drop);
	console.log("step", n, Math.random());
	return [n, kept.size, Math.random(), [...kept.values()].map(v => v.r)];
};
export const fail = () => { kept.set("f" + ++n % 5, [n]); console.error("fails"); throw new Error("no " + n) };
export const ask = async p => { n++; try { n += (await call("app.ask", p)).by } catch (e) { n += 1000; console.error(e.message) } return [n, Math.random()] };
export const both = async p => { n++; const v = await Promise.all([call("app.ask", p), call("app.ask", p), call("app.held", p)]); v.forEach(v => n += v.by); return n };
export const nap = async p => { await new Promise(r => setTimeout(r, p.ms)); return [++n, Date.now()] };
export const race = async p => {
	const r = await Promise.race([call("app.ask", p).then(v => v.by), new Promise(r => setTimeout(r, 100, -1))]);
	n += r;
	return n;
};
export const held = async p => { n++; n += (await call("app.held", p)).by; return n };
export const many = async p => { const v = await Promise.all(Array.from({ length: p.count }, (_, i) => call("app.echo", { i }))); n += v.length; return [n, v] };
export const calls = async () => { n = -1; kept.clear(); for (;;) await call("app.echo", { i: n-- }) };
export const big = () => { n = -1; kept.clear(); return "x".repeat(5 << 20) };
export const spin = () => { n = -1; kept.clear(); for (;;) kept.set(--n % 1000, n) };
export const grow = () => { n = -1; const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)) };`,
	"history.py": `import asyncio, random, sys, time, spore
n = 0
kept = {}
def render(): return n
def step(p):
    global n
    n += p["by"]
    kept[f"k{n % 13}"] = {"at": time.time(), "r": random.random(), "big": "x" * p["size"], "raw": bytearray([n % 256]) * p["size"]}
    kept.pop(f"k{p['drop']}", None)
    print("step", n, random.random())
    return [n, len(kept), random.random(), [v["r"] for v in kept.values()]]
def fail():
    global n
    n += 1
    print("fails", file=sys.stderr)
    raise ValueError(f"no {n}")
async def ask(p):
    global n
    n += 1
    try:
        n += (await spore.call("app.ask", p))["by"]
    except spore.HostError as e:
        n += 1000
        print(e, file=sys.stderr)
    return [n, random.random()]
async def both(p):
    global n
    n += 1
    for v in await asyncio.gather(spore.call("app.ask", p), spore.call("app.ask", p), spore.call("app.held", p)):
        n += v["by"]
    return n
async def nap(p):
    global n
    await asyncio.sleep(p["ms"] / 1000)
    n += 1
    return [n, time.time()]
async def race(p):
    global n
    t = asyncio.ensure_future(spore.call("app.ask", p))
    done, _ = await asyncio.wait([t], timeout=0.1)
    n += t.result()["by"] if done else -1
    return n
async def held(p):
    global n
    n += 1
    n += (await spore.call("app.held", p))["by"]
    return n
async def many(p):
    global n
    v = await asyncio.gather(*[spore.call("app.echo", {"i": i}) for i in range(p["count"])])
    n += len(v)
    return [n, v]
async def calls():
    global n
    n = -1
    kept.clear()
    while True:
        n -= 1
        await spore.call("app.echo", {"i": n})
def big():
    global n
    n = -1
    kept.clear()
    return "x" * (5 << 20)
def spin():
    global n
    n = -1
    kept.clear()
    while True:
        n -= 1
        kept[n % 1000] = n
def grow():
    global n
    n = -1
    all = []
    while True: all.append(bytearray(b"1" * (1 << 20)))`,
}

// killed are functions that are ended from outside, and the limits that end them. What
// they did is taken back.
var killed = map[string]string{"calls": "HostCalls", "big": "Output", "spin": "", "grow": "Memory"}

// notebooks are cells: one that ends, one that throws, one that cannot be parsed, and one that waits.
var notebooks = map[string][]string{
	"history.js": {"globalThis.z = (globalThis.z ?? 0) + 1; console.log('cell', z); [z, Math.random()]", "const y = 1;\nnull.x", "z = = 1", "(await call('app.ask', { q: 5 })).by"},
	"history.py": {"z = globals().get('z', 0) + 1\nprint('cell', z)\n[z, random.random()]", "y = 1\nNone.x", "z = = 1", "(await spore.call('app.ask', {'q': 5}))['by']"},
}
