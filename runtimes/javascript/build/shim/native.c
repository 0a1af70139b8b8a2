// The functions of C that the prelude works with, and the way from C to the prelude.
//
// They are methods of one object, which the prelude takes from the global object and removes there. With its method
// `hooks` the prelude registers the functions that C calls: warm, start, load, invoke, present, settle, report,
// unhandled, uncaught.

#include "shim.h"

#include <string.h>
#include <wasi/api.h>

JSValue hook_call(const char *name, int argc, JSValueConst *argv) {
	JSContext *ctx = state.ctx;
	JSValue f = JS_GetPropertyStr(ctx, state.hooks, name);
	if (JS_IsException(f))
		return f;
	JSValue v = JS_Call(ctx, f, JS_UNDEFINED, argc, argv);
	JS_FreeValue(ctx, f);
	return v;
}

static JSValue set_hooks(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	state.hooks = JS_DupValue(ctx, argv[0]);
	return JS_UNDEFINED;
}

static JSValue log_text(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	int32_t level;
	size_t n;
	if (JS_ToInt32(ctx, &level, argv[0]))
		return JS_EXCEPTION;
	const char *s = JS_ToCStringLen(ctx, &n, argv[1]);
	if (!s)
		return JS_EXCEPTION;
	utf8_fix((char *)s, n);
	host_log(level, s, n);
	JS_FreeCString(ctx, s);
	return JS_UNDEFINED;
}

// random(bytes): fills an Uint8Array.
static JSValue random_fill(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	size_t n;
	uint8_t *p = JS_GetUint8Array(ctx, &n, argv[0]);
	if (!p)
		return JS_EXCEPTION;
	if (n && __wasi_random_get(p, n))
		return JS_ThrowInternalError(ctx, "the host has no randomness");
	return JS_UNDEFINED;
}

// encode(string): its UTF-8, as an Uint8Array.
static JSValue encode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	size_t n;
	const char *s = JS_ToCStringLen(ctx, &n, argv[0]);
	if (!s)
		return JS_EXCEPTION;
	utf8_fix((char *)s, n);
	JSValue v = JS_NewUint8ArrayCopy(ctx, (const uint8_t *)s, n);
	JS_FreeCString(ctx, s);
	return v;
}

// The length of the sequence at p, and whether it is well-formed: if not, the length is that of its longest prefix that
// could have become one (at least 1), as the Encoding Standard wants it replaced.
static size_t sequence(const uint8_t *p, size_t n, bool *ok) {
	uint8_t b = p[0], lo = 0x80, hi = 0xBF;
	size_t want = b < 0x80 ? 1 : b >= 0xC2 && b <= 0xDF ? 2 : b >= 0xE0 && b <= 0xEF ? 3 : b >= 0xF0 && b <= 0xF4 ? 4 : 0;
	if (b == 0xE0)
		lo = 0xA0;
	else if (b == 0xED)
		hi = 0x9F;
	else if (b == 0xF0)
		lo = 0x90;
	else if (b == 0xF4)
		hi = 0x8F;
	*ok = false;
	if (want == 0)
		return 1;
	size_t i = 1;
	for (; i < want; i++) {
		if (i == n || p[i] < lo || p[i] > hi)
			return i;
		lo = 0x80;
		hi = 0xBF;
	}
	*ok = true;
	return want;
}

// decode(bytes, fatal): the string of these bytes of UTF-8; with fatal, undefined if they are not well-formed.
static JSValue decode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	size_t n, bad = 0, k;
	const uint8_t *p = JS_GetUint8Array(ctx, &n, argv[0]);
	bool ok;
	if (!p && n)
		return JS_EXCEPTION;
	for (size_t i = 0; i < n; i += k) {
		k = sequence(p + i, n - i, &ok);
		bad += !ok;
	}
	if (!bad)
		return JS_NewStringLen(ctx, (const char *)p, n);
	if (JS_ToBool(ctx, argv[1]))
		return JS_UNDEFINED;
	char *buf = js_malloc(ctx, n + 2 * bad); // a bad sequence has at least one byte, its replacement three
	if (!buf)
		return JS_EXCEPTION;
	char *q = buf;
	for (size_t i = 0; i < n; i += k) {
		k = sequence(p + i, n - i, &ok);
		memcpy(q, ok ? (const char *)p + i : "\xEF\xBF\xBD", ok ? k : 3);
		q += ok ? k : 3;
	}
	JSValue v = JS_NewStringLen(ctx, buf, q - buf);
	js_free(ctx, buf);
	return v;
}

static JSValue now(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	return JS_NewFloat64(ctx, clock_now());
}

static JSValue time_origin(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	return JS_NewFloat64(ctx, clock_origin());
}

// forget(): a host call that was pending is not waited for any more.
static JSValue forget(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	control.pending--;
	return JS_UNDEFINED;
}

// evaluate(code, name): compiles a cell and starts it. Returns [true, a promise of an object with the value], or if the
// cell does not parse [false, the error].
static JSValue evaluate(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	size_t n;
	const char *code = JS_ToCStringLen(ctx, &n, argv[0]);
	const char *name = code ? JS_ToCString(ctx, argv[1]) : NULL;
	JSValue f = JS_EXCEPTION;
	if (name)
		f = JS_Eval(ctx, code, n, name, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_ASYNC | JS_EVAL_FLAG_COMPILE_ONLY);
	JS_FreeCString(ctx, name);
	JS_FreeCString(ctx, code);
	if (!name || (JS_IsException(f) && state.no_memory))
		return JS_EXCEPTION;
	JSValue parts[2] = {JS_NewBool(ctx, !JS_IsException(f)), JS_UNDEFINED};
	if (JS_IsException(f)) {
		parts[1] = JS_GetException(ctx);
	} else {
		JS_AllowRedeclaration(ctx);
		parts[1] = JS_EvalFunction(ctx, f);
		if (JS_IsException(parts[1]))
			return JS_EXCEPTION;
	}
	return JS_NewArrayFrom(ctx, 2, parts);
}

// fail(exception): a callback threw it and nobody can catch it.
static JSValue fail(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	if (JS_IsUninitialized(state.failure))
		state.failure = JS_DupValue(ctx, argv[0]);
	return JS_UNDEFINED;
}

JSValue native_new(JSContext *ctx) {
	static const JSCFunctionListEntry functions[] = {
		JS_CFUNC_DEF("hooks", 1, set_hooks),        JS_CFUNC_DEF("call", 3, hostcall),
		JS_CFUNC_DEF("callSync", 3, hostcall_sync), JS_CFUNC_DEF("callAsync", 3, hostcall_async),
		JS_CFUNC_DEF("forget", 0, forget),          JS_CFUNC_DEF("evaluate", 2, evaluate),
		JS_CFUNC_DEF("log", 2, log_text),           JS_CFUNC_DEF("random", 1, random_fill),
		JS_CFUNC_DEF("encode", 1, encode),          JS_CFUNC_DEF("decode", 2, decode),
		JS_CFUNC_DEF("now", 0, now),                JS_CFUNC_DEF("timeOrigin", 0, time_origin),
		JS_CFUNC_DEF("fail", 1, fail),
	};
	JSValue o = JS_NewObject(ctx);
	if (!JS_IsException(o))
		JS_SetPropertyFunctionList(ctx, o, functions, sizeof functions / sizeof *functions);
	return o;
}

// --- promises that were rejected and have no handler yet

#define MAX_REJECTIONS 64

static struct {
	JSValue promise, reason;
} rejected[MAX_REJECTIONS];
static int rejected_count;

void rejections_forget(JSValueConst promise) {
	for (int i = 0; i < rejected_count; i++)
		if (JS_VALUE_GET_PTR(rejected[i].promise) == JS_VALUE_GET_PTR(promise)) {
			JS_FreeValue(state.ctx, rejected[i].promise);
			JS_FreeValue(state.ctx, rejected[i].reason);
			memmove(&rejected[i], &rejected[i + 1], (--rejected_count - i) * sizeof *rejected);
			return;
		}
}

void rejections_track(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque) {
	if (handled) {
		rejections_forget(promise);
	} else if (rejected_count < MAX_REJECTIONS) { // beyond that, nobody reads them all
		rejected[rejected_count].promise = JS_DupValue(ctx, promise);
		rejected[rejected_count].reason = JS_DupValue(ctx, reason);
		rejected_count++;
	}
}

// Called when no job is left: what has no handler now is logged.
void rejections_log(void) {
	JSContext *ctx = state.ctx;
	while (rejected_count > 0) {
		JSValue promise = rejected[0].promise, reason = rejected[0].reason;
		memmove(&rejected[0], &rejected[1], --rejected_count * sizeof *rejected);
		JSValue v = hook_call("unhandled", 1, (JSValueConst *)&reason);
		if (JS_IsException(v))
			JS_FreeValue(ctx, JS_GetException(ctx));
		JS_FreeValue(ctx, v);
		JS_FreeValue(ctx, promise);
		JS_FreeValue(ctx, reason);
	}
}
