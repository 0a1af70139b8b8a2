// Uses secrets in all the ways that come to mind, and keeps none. See TestSecretsAreForgotten.
import { call, callSync } from "spore";
const text = p => callSync("vault.text", p);
let kept = null;
const old = { list: [], map: new Map(), text: null };
const word = /([0-9A-Za-z]{4})(?<rest>.*)/u;
export const render = () => "ready";
export function keepText(p) { kept = text(p) }
export function keepBytes(p) { kept = callSync("vault.bytes", p).data }
export function keepPiece(p) { kept = [text(p).slice(0, 20) + "."] }

export function wayDrop(p) { return text(p).length }
export function wayReturn(p) { return text(p) }
export function wayReturnObject(p) { return callSync("vault.object", p) }
export function wayBytes(p) { return callSync("vault.bytes", p).data.reduce((a, b) => a ^ b) }
export function wayReturnBytes(p) { return callSync("vault.bytes", p) }
export async function wayAwait(p) { return (await call("vault.text", p)).length }
export async function wayTogether(p) {
	const all = await Promise.all([1, 2, 3].map(() => call("vault.object", p)));
	return all.length;
}
export async function wayWait(p) {
	const n = (await call("vault.text", p)).length + text(p).length;
	return n + await call("vault.later", {});
}
export async function wayWaitBeside(p) {
	const [a, b] = await Promise.all([call("vault.object", p).then(o => o.token.length), call("vault.later", {})]);
	return a + b;
}
export async function wayThen(p) { return call("vault.text", p).then(s => s + s).then(s => s.length) }
export function wayObject(p) { const o = callSync("vault.object", p); return Object.keys(o).length }
export function wayConcat(p) { let s = ""; for (let i = 0; i < 5; i++) s += text(p) + i; return s.length }
export function wayTemplate(p) { const t = text(p); return `Bearer ${t}, ${t.length}`.length }
export function wayJoin(p) { return text(p).split("").reverse().join("-").length }
export function wayHash(p) { let h = 5381; for (const c of text(p)) h = (h * 33 ^ c.codePointAt(0)) | 0; return h }
export function wayMatch(p) { const m = ("abcd" + text(p)).match(word); return m.groups.rest.length }
export function wayReplace(p) { return text(p).replace(/[a-z\u00c0-\u00d0]/g, c => c.toUpperCase()).length }
export function wayPattern(p) { const t = text(p).replace(/[^\p{L}\d]/gu, "x"); return new RegExp("^" + t + "$", "u").test(t) }
export function wayParse(p) { return JSON.parse(JSON.stringify({ a: [text(p)], b: { c: text(p) } })).a.length }
export function wayCase(p) { const t = text(p); return (t.toUpperCase() + t.toLowerCase() + t.normalize("NFD") + t.trim()).length }
export function wayCaught(p) { try { throw new Error("no " + text(p)) } catch (e) { return e.stack.length } }
export function wayRaise(p) { throw new TypeError("bad token " + text(p)) }
export function wayRaiseObject(p) { throw { token: text(p) } }
export function wayRaiseCause(p) { try { throw new Error(text(p)) } catch (e) { throw new Error("outer", { cause: e }) } }
export async function wayRaiseLater(p) { const t = await call("vault.text", p); throw new RangeError(t) }
export function wayFail(p) { try { callSync("vault.fail", p) } catch (e) { return e.message.length } }
export function wayRaiseFail(p) { callSync("vault.fail", p) }
export async function wayFailLater(p) { try { await call("vault.fail", p) } catch (e) { return e.code } }
export function wayGenerator(p) {
	function* g() { const t = text(p); yield t.length; yield t }
	const it = g();
	return it.next().value;
}
export async function wayAsyncGenerator(p) {
	async function* g() { const t = await call("vault.text", p); yield t.length; yield t }
	for await (const n of g()) return n;
}
export function wayClosure(p) { const t = text(p); const f = () => t.length; return f() }
export function wayCycle(p) { const o = { t: text(p) }; o.self = o; const f = () => f ? o.t.length : 0; o.f = f; return f() }
export function wayClass(p) { class K { #t; constructor(t) { this.#t = t } get n() { return this.#t.length } } return new K(text(p)).n }
export function wayMap(p) { const m = new Map(), s = new Set(); const t = text(p); m.set(t, t); s.add(t + "!"); return m.size + s.size }
export function wayProperty(p) { const o = {}; o[text(p)] = 1; o["x" + text(p)] = 2; delete o[Object.keys(o)[0]]; return Object.keys(o).length }
export function waySymbol(p) { return Symbol(text(p)).description.length }
export function wayEncode(p) { const b = new TextEncoder().encode(text(p)); return new TextDecoder().decode(b).length }
export function wayBase64(p) { return atob(btoa(unescape(encodeURIComponent(text(p))))).length }
export function wayURL(p) { const u = new URL("https://example.com/?k=" + encodeURIComponent(text(p))); return u.searchParams.get("k").length }
export function wayClone(p) { return structuredClone(callSync("vault.object", p)).list.length }
export function waySort(p) { return [text(p), text(p), text(p)].sort().length }
export function wayGlobal(p) { kept = text(p); const n = kept.length; kept = null; return n }
export function wayOld(p) {
	old.list.push(text(p)); old.text = text(p); old.map.set("k", text(p));
	const n = old.list.length;
	old.list.length = 0; old.text = null; old.map.clear();
	return n;
}
export function wayResize(p) {
	const b = callSync("vault.bytes", p).data, r = new ArrayBuffer(b.length, { maxByteLength: 2 * b.length });
	new Uint8Array(r).set(b);
	r.resize(4); r.resize(b.length + 4);
	kept = r;
	return r.byteLength;
}
export function wayLog(p) { console.log("token", text(p), { t: text(p) }); console.error(text(p)) }
export function wayEval(p) { return new Function("return " + JSON.stringify(text(p)) + ".length")() }
export function wayProxy(p) { const q = new Proxy({}, { get: (_, k) => k + text(p) }); return q.a.length }
export function wayWeak(p) { const k = {}; const w = new WeakMap(); w.set(k, text(p)); const o = { t: text(p) }, r = new WeakRef(o); return r.deref().t.length + w.get(k).length }
export function wayRecursion(p) { const f = (n, t) => n ? f(n - 1, t + n) : t.length; return f(50, text(p)) }
export function wayArguments(p) { return String.raw({ raw: [text(p), text(p)] }, 1).length + Math.max(...[...text(p)].map(c => c.codePointAt(0))) }
export function wayLocale(p) { return text(p).localeCompare(text(p)) + [..."abc"].indexOf(text(p)) }
export function wayDate(p) { return isNaN(new Date(text(p))) ? 1 : 0 }
export function wayMany(p) { let n = 0; for (let i = 0; i < 20; i++) n += (text({ alphabet: p.alphabet, n: 24 }) + i).length; return n }
