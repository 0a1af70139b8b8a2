// What an export leaves for the host: text, a frame or an error.

#include "shim.h"

#include <stdio.h>
#include <string.h>

static const char *text;  // of JS_ToCStringLen
static uint8_t *frame;    // of js_malloc
static char plain[512];   // an error made without the interpreter

void result_drop(void) {
	if (text)
		JS_FreeCString(state.ctx, text);
	if (frame)
		js_free(state.ctx, frame);
	text = NULL;
	frame = NULL;
	control.result = NULL;
	control.result_len = 0;
}

static int32_t result_set(int32_t status, const void *p, size_t len) {
	control.result = p;
	control.result_len = len;
	return status;
}

int32_t result_none(int32_t status) { return result_set(status, NULL, 0); }

// QuickJS writes lone surrogates as three bytes ED A0..BF xx, which UTF-8 forbids; U+FFFD has three bytes as well. A
// string with such bytes has been converted, so the bytes are not those of a JavaScript string.
void utf8_fix(char *s, size_t len) {
	for (char *end = s + len, *p = s; (p = memchr(p, 0xED, end - p)) != NULL; p++)
		if (end - p >= 3 && (unsigned char)p[1] >= 0xA0)
			memcpy(p, "\xEF\xBF\xBD", 3);
}

// An error whose message is ASCII without quotes.
int32_t result_error(const char *kind, const char *message) {
	int n = snprintf(plain, sizeof plain, "{\"kind\":\"%s\",\"name\":\"\",\"message\":\"%s\",\"stack\":[],\"trace\":\"\"}",
	                 kind, message);
	return result_set(STATUS_ERROR, plain, n);
}

static int32_t result_text(JSContext *ctx, int32_t status, JSValueConst v) {
	size_t n;
	text = JS_ToCStringLen(ctx, &n, v);
	if (!text)
		return -1;
	utf8_fix((char *)text, n);
	return result_set(status, text, n);
}

// Reports the pending exception through the prelude, which takes it apart; `code` is the source that did not parse, or
// undefined. If even that has no memory or no stack, a fixed text must do.
static int32_t report(JSContext *ctx, const char *kind, JSValue code) {
	JSValue exception = JS_GetException(ctx);
	int32_t status = -1;
	// When there is no memory for the exception itself, QuickJS throws null.
	if (!(state.no_memory && JS_IsNull(exception))) {
		JSValue args[3] = {exception, JS_NewString(ctx, state.no_memory ? "memory" : kind), code};
		JSValue v = hook_call("report", 3, (JSValueConst *)args);
		if (JS_IsString(v))
			status = result_text(ctx, STATUS_ERROR, v);
		JS_FreeValue(ctx, v);
		JS_FreeValue(ctx, args[1]);
		if (status < 0)
			JS_FreeValue(ctx, JS_GetException(ctx));
	}
	JS_FreeValue(ctx, exception);
	JS_FreeValue(ctx, code);
	if (status >= 0)
		return status;
	return state.no_memory ? result_error("memory", "out of memory")
	                       : result_error("error", "an exception that cannot be shown");
}

int32_t result_exception(JSContext *ctx) { return report(ctx, "error", JS_UNDEFINED); }

int32_t result_syntax(JSContext *ctx, JSValue code) { return report(ctx, "syntax", code); }

// Takes the value of a call.
int32_t result_value(JSContext *ctx, JSValue v) {
	int32_t status;
	if (JS_IsString(v)) {
		status = result_text(ctx, STATUS_TEXT, v);
	} else {
		size_t n;
		status = frame_encode(ctx, v, &frame, &n) ? -1 : result_set(STATUS_JSON, frame, n);
	}
	JS_FreeValue(ctx, v);
	if (status >= 0)
		return status;
	return report(ctx, "result", JS_UNDEFINED);
}
