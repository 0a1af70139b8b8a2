// Host calls, in the three forms that the prelude makes of them.
//
// An answer that comes at once, and there is nothing else for calls that block, is given back without a detour through
// the table of pending calls.

#include "shim.h"

#include <string.h>

#define SMALL 512 // bytes of a frame that needs no memory of its own
#define BLOCKING 1

// An answer that has come, or not.
struct answer {
	uint32_t id;
	bool pending, ok;
	JSValue value;
};

static int send(JSContext *ctx, uint32_t flags, JSValueConst name, JSValueConst arg, struct answer *a) {
	uint8_t small[SMALL + 1]; // one more byte: the decoder puts a zero behind the text
	uint8_t *frame = small;
	size_t frame_len = frame_encode_small(ctx, arg, small, SMALL), name_len;
	if (frame_len == 0 && frame_encode(ctx, arg, &frame, &frame_len))
		return -1;
	const char *text = JS_ToCStringLen(ctx, &name_len, name);
	int32_t n = -1;
	if (text) {
		utf8_fix((char *)text, name_len);
		a->id = ++state.last_id;
		n = host_call(a->id, flags, text, name_len, frame, frame_len);
		JS_FreeCString(ctx, text);
	}
	if (frame != small)
		js_free(ctx, frame);
	if (!text)
		return -1;
	a->pending = n < 0;
	if (a->pending) {
		control.pending++;
		return 0;
	}
	uint8_t *reply = n <= SMALL ? small : js_malloc(ctx, (size_t)n + 1);
	if (!reply)
		return -1;
	host_take(reply);
	a->ok = reply[0] == 1;
	a->value = frame_decode(ctx, reply + 1, (size_t)n - 1);
	if (reply != small)
		js_free(ctx, reply);
	return JS_IsException(a->value) ? -1 : 0;
}

// call(flags, name, arg): the number of the call if it is pending, else [number, ok, value].
JSValue hostcall(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	uint32_t flags;
	struct answer a;
	if (JS_ToUint32(ctx, &flags, argv[0]) || send(ctx, flags, argv[1], argv[2], &a))
		return JS_EXCEPTION;
	if (a.pending)
		return JS_NewUint32(ctx, a.id);
	JSValue parts[3] = {JS_NewUint32(ctx, a.id), JS_NewBool(ctx, a.ok), a.value};
	return JS_NewArrayFrom(ctx, 3, parts);
}

// Puts the error that the host answered into an object of the prelude, which makes an exception of it, so that no frame
// of C is on its stack. Returns the object.
static JSValue failure(JSContext *ctx, JSValueConst object, const struct answer *a) {
	if (JS_SetPropertyStr(ctx, object, "answer", a->value) < 0 ||
	    JS_SetPropertyStr(ctx, object, "id", JS_NewUint32(ctx, a->id)) < 0)
		return JS_EXCEPTION;
	return JS_DupValue(ctx, object);
}

// callSync(name, arg, failure): the value, or `failure`. It blocks.
JSValue hostcall_sync(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	struct answer a;
	if (send(ctx, BLOCKING, argv[0], argv[1], &a))
		return JS_EXCEPTION;
	if (a.pending) // the host may not do that
		__builtin_trap();
	return a.ok ? a.value : failure(ctx, argv[2], &a);
}

// callAsync(name, arg, failure): the number of the call if it is pending, else a settled promise, or `failure`. The
// promise is also how one learns that the arguments cannot be sent.
JSValue hostcall_async(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
	struct answer a;
	bool bad = send(ctx, 0, argv[0], argv[1], &a) != 0;
	if (bad)
		a.value = JS_GetException(ctx);
	else if (a.pending)
		return JS_NewUint32(ctx, a.id);
	else if (!a.ok)
		return failure(ctx, argv[2], &a);
	JSValue promise = JS_NewSettledDataPromise(ctx, bad, a.value);
	JS_FreeValue(ctx, a.value);
	return promise;
}
