// Frames: a JSON text with binary buffers beside it.

#include "shim.h"

#include <stdlib.h>
#include <string.h>

// u32 json_len, u32 count, count × u32 len, json, buffers
#define HEAD 8

static uint32_t get_u32(const uint8_t *p) {
	uint32_t n;
	memcpy(&n, p, 4);
	return n;
}

static JSValue malformed(JSContext *ctx) { return JS_ThrowPlainError(ctx, "malformed frame"); }

// A buffer is copied, because the frame lies in the input area.
struct buffers {
	const uint8_t *lens;
	const uint8_t *data;
	uint32_t count;
	JSAtom key;
};

static JSValue buffer_new(JSContext *ctx, const struct buffers *b, uint32_t index) {
	const uint8_t *p = b->data;
	for (uint32_t i = 0; i < index; i++)
		p += get_u32(b->lens + 4 * i);
	return JS_NewUint8ArrayCopy(ctx, p, get_u32(b->lens + 4 * index));
}

// Returns v with every {"$bytes": i} in it replaced, and consumes v. Parsing has bounded the depth.
static JSValue buffers_resolve(JSContext *ctx, JSValue v, const struct buffers *b) {
	if (!JS_IsObject(v))
		return v;
	JSPropertyEnum *props;
	uint32_t n;
	if (JS_GetOwnPropertyNames(ctx, &props, &n, v, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY)) {
		JS_FreeValue(ctx, v);
		return JS_EXCEPTION;
	}
	JSValue r = v;
	for (uint32_t i = 0; i < n; i++) {
		JSValue child = JS_GetProperty(ctx, v, props[i].atom);
		if (n == 1 && props[i].atom == b->key && JS_IsNumber(child)) {
			uint32_t index = UINT32_MAX;
			JS_ToUint32(ctx, &index, child);
			r = index < b->count ? buffer_new(ctx, b, index) : malformed(ctx);
			JS_FreeValue(ctx, v);
			break;
		}
		child = buffers_resolve(ctx, child, b);
		if (JS_IsException(child) || JS_DefinePropertyValue(ctx, v, props[i].atom, child, JS_PROP_C_W_E) < 0) {
			JS_FreeValue(ctx, v);
			r = JS_EXCEPTION;
			break;
		}
	}
	JS_FreePropertyEnum(ctx, props, n);
	return r;
}

// The value of the shortest texts, which answer most host calls, without the parser: null, and integers in decimal. Any
// other text gives undefined, which no JSON stands for.
static JSValue literal(JSContext *ctx, const uint8_t *text, uint32_t len) {
	if (len == 4 && !memcmp(text, "null", 4))
		return JS_NULL;
	if (len > 9 || (text[0] == '0' && len > 1))
		return JS_UNDEFINED;
	int32_t n = 0;
	for (uint32_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return JS_UNDEFINED;
		n = 10 * n + (text[i] - '0');
	}
	return JS_NewInt32(ctx, n);
}

// The byte behind the frame must be writable: the parser wants a zero behind the text.
JSValue frame_decode(JSContext *ctx, uint8_t *frame, size_t len) {
	if (len < HEAD)
		return malformed(ctx);
	uint32_t json_len = get_u32(frame);
	struct buffers b = {.lens = frame + HEAD, .count = get_u32(frame + 4)};
	uint64_t end = HEAD + 4 * (uint64_t)b.count + json_len;
	if (end > len)
		return malformed(ctx);
	b.data = frame + end;
	for (uint32_t i = 0; i < b.count; i++)
		end += get_u32(b.lens + 4 * i);
	if (end != len || (json_len == 0 && b.count != 0))
		return malformed(ctx);
	if (json_len == 0)
		return JS_UNDEFINED;
	uint8_t *json = frame + HEAD + 4 * b.count;
	JSValue short_cut = b.count == 0 ? literal(ctx, json, json_len) : JS_UNDEFINED;
	if (!JS_IsUndefined(short_cut))
		return short_cut;
	uint8_t behind = json[json_len];
	json[json_len] = 0;
	JSValue v = JS_ParseJSON(ctx, (const char *)json, json_len, "<frame>");
	json[json_len] = behind;
	if (b.count == 0 || JS_IsException(v))
		return v;
	b.key = JS_NewAtom(ctx, "$bytes");
	v = buffers_resolve(ctx, v, &b);
	JS_FreeAtom(ctx, b.key);
	return v;
}

// The buffers of a value that is being encoded. The objects are kept, because toJSON methods run in between; their
// bytes are looked up when all is known.
struct collected {
	JSValue *values;
	uint32_t count, cap;
};

// Finds the bytes of an ArrayBuffer or a view of bytes. Returns NULL for an empty one.
static const uint8_t *bytes_of(JSContext *ctx, JSValueConst v, size_t *len) {
	if (JS_IsArrayBuffer(v))
		return JS_GetArrayBuffer(ctx, len, v);
	size_t offset = 0, each = 0, size = 0;
	*len = 0;
	JSValue buffer = JS_GetTypedArrayBuffer(ctx, v, &offset, len, &each);
	if (JS_IsException(buffer))
		return NULL;
	const uint8_t *p = JS_GetArrayBuffer(ctx, &size, buffer);
	JS_FreeValue(ctx, buffer); // v still holds it
	return p && *len ? p + offset : NULL;
}

static int collect(JSContext *ctx, JSValueConst v, void *opaque) {
	struct collected *c = opaque;
	int type = JS_GetTypedArrayType(v);
	if (!JS_IsArrayBuffer(v) && type != JS_TYPED_ARRAY_UINT8 && type != JS_TYPED_ARRAY_UINT8C) {
		JS_ThrowTypeError(ctx, "only ArrayBuffer and Uint8Array can be passed as bytes; use Array.from(x) for numbers, "
		                       "or new Uint8Array(x.buffer, x.byteOffset, x.byteLength) for bytes");
		return -1;
	}
	if (c->count == c->cap) {
		uint32_t cap = c->cap ? 2 * c->cap : 8;
		JSValue *p = js_realloc(ctx, c->values, cap * sizeof *p);
		if (!p)
			return -1;
		c->values = p;
		c->cap = cap;
	}
	c->values[c->count] = JS_DupValue(ctx, v);
	return (int)c->count++;
}

// Encodes a simple value, without running code of the component. Returns the length of the frame, 0 if the value is not
// so simple or the frame longer than `size`.
size_t frame_encode_small(JSContext *ctx, JSValueConst value, uint8_t *frame, size_t size) {
	uint32_t head[2] = {0, 0};
	if (!JS_IsUndefined(value)) {
		int n = JS_JSONWritePlain(ctx, value, frame + HEAD, size - HEAD);
		if (n < 0)
			return 0;
		head[0] = n;
	}
	memcpy(frame, head, HEAD);
	return HEAD + head[0];
}

// Encodes a value. The frame comes from js_malloc. Returns -1 with an exception.
int frame_encode(JSContext *ctx, JSValueConst value, uint8_t **frame, size_t *len) {
	struct collected c = {0};
	const char *json = NULL;
	size_t json_len = 0;
	int r = -1;
	if (!JS_IsUndefined(value)) {
		JSValue text = JS_JSONStringifyBinary(ctx, value, collect, &c);
		if (JS_IsUndefined(text))
			JS_ThrowTypeError(ctx, "a function or symbol cannot be passed on");
		else if (!JS_IsException(text))
			json = JS_ToCStringLen(ctx, &json_len, text);
		JS_FreeValue(ctx, text);
		if (!json)
			goto done;
	}
	uint64_t total = HEAD + 4 * (uint64_t)c.count + json_len;
	for (uint32_t i = 0; i < c.count; i++) {
		size_t n;
		bytes_of(ctx, c.values[i], &n);
		total += n;
	}
	uint8_t *p = total < UINT32_MAX ? js_malloc(ctx, total) : NULL;
	if (!p) {
		if (total >= UINT32_MAX)
			JS_ThrowOutOfMemory(ctx);
		goto done;
	}
	*frame = p;
	*len = total;
	uint32_t head[2] = {json_len, c.count};
	memcpy(p, head, HEAD);
	p += HEAD;
	uint8_t *data = p + 4 * c.count;
	if (json)
		memcpy(data, json, json_len);
	data += json_len;
	for (uint32_t i = 0; i < c.count; i++) {
		size_t n;
		const uint8_t *bytes = bytes_of(ctx, c.values[i], &n);
		uint32_t n32 = n;
		memcpy(p, &n32, 4);
		p += 4;
		if (bytes)
			memcpy(data, bytes, n);
		data += n;
	}
	r = 0;
done:
	for (uint32_t i = 0; i < c.count; i++)
		JS_FreeValue(ctx, c.values[i]);
	js_free(ctx, c.values);
	JS_FreeCString(ctx, json);
	return r;
}
