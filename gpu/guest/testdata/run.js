// Runs the cases of cases.json: see README.md there.
import gpu from "gpu";

const value = (v, names) => {
  if (typeof v === "string" && v.startsWith("$")) return names[v.slice(1)];
  if (Array.isArray(v)) return v.map((e) => value(e, names));
  if (v === null || typeof v !== "object") return v;
  if ("num" in v) return { nan: NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 }[v.num];
  if ("int" in v) return BigInt(v.int);
  return Uint8Array.fromHex(v.raw).buffer;
};

function build(c) {
  const names = {};
  for (const [to, name, args, options] of c.steps) {
    const r = gpu[name](...args.map((a) => value(a, names)), ...(Object.keys(options).length > 0 ? [options] : []));
    if (Array.isArray(to)) to.forEach((n, i) => { names[n] = r[i]; });
    else names[to] = r;
  }
  return c.out.map((n) => names[n]);
}

const bytes = (a) => { const d = a.dataSync(); return new Uint8Array(d.buffer, d.byteOffset, d.byteLength); };

export async function render({ cases }) {
  const results = [];
  for (const c of cases) {
    try {
      const out = build(c);
      await gpu.evaluate(...out);
      results.push({ out: out.map((a) => ({ dtype: a.dtype, shape: a.shape, data: bytes(a) })) });
    } catch (e) {
      results.push({ error: { code: e.code ?? e.name, op: e.op ?? "", text: e.message } });
    }
  }
  return results;
}
