// What the files of the shim share. The shim puts the guest ABI (runtimes/ABI.md) around QuickJS-ng.
#ifndef SPORE_SHIM_H
#define SPORE_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quickjs.h"

#define EXPORT(name) __attribute__((export_name(#name)))
#define IMPORT(name) __attribute__((import_module("spore"), import_name(#name)))

// Status of an export that runs the interpreter.
enum { STATUS_JSON = 0, STATUS_TEXT = 1, STATUS_PENDING = 2, STATUS_ERROR = 3 };

enum { LOG_DEBUG = -4, LOG_INFO = 0, LOG_WARN = 4, LOG_ERROR = 8 };

IMPORT(tick) int32_t host_tick(void);
IMPORT(call) int32_t host_call(uint32_t id, uint32_t flags, const char *name, size_t name_len,
                               const uint8_t *frame, size_t frame_len);
IMPORT(take) void host_take(uint8_t *dst);
IMPORT(log) void host_log(int32_t level, const char *text, size_t len);

// The control block of the ABI.
struct control {
	uint32_t abi;
	uint8_t *input;
	uint32_t input_cap;
	const void *result;
	uint32_t result_len;
	uint32_t pending;
	uint32_t fresh;
	uint32_t kept;
};
extern struct control control;

// Everything else that the shim keeps between two exports.
struct state {
	JSRuntime *rt;
	JSContext *ctx;
	JSValue hooks;       // what guest/main.js registered, see native.c
	JSValue main;        // the promise of the call in progress, or undefined
	JSValue failure;     // exception of a callback that nobody could catch, or uninitialised
	bool busy;           // a call is in progress
	bool loaded;         // spore_load has been called
	bool started;        // there was a start since the last spore_seal
	bool no_memory;      // an allocation failed since the present export was entered
	uint32_t last_id;    // number of the newest host call
};
extern struct state state;

// native.c
JSValue native_new(JSContext *ctx);
JSValue hook_call(const char *name, int argc, JSValueConst *argv);
void rejections_track(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque);
void rejections_forget(JSValueConst promise);
void rejections_log(void);

// hostcall.c
JSValue hostcall(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv);
JSValue hostcall_sync(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv);
JSValue hostcall_async(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv);

// clock.c
void clock_start(bool first);
double clock_now(void);
double clock_origin(void);

// frame.c
JSValue frame_decode(JSContext *ctx, uint8_t *frame, size_t len);
int frame_encode(JSContext *ctx, JSValueConst value, uint8_t **frame, size_t *len);
size_t frame_encode_small(JSContext *ctx, JSValueConst value, uint8_t *frame, size_t size);

// result.c
int32_t result_none(int32_t status);
int32_t result_value(JSContext *ctx, JSValue value);
int32_t result_exception(JSContext *ctx);
int32_t result_syntax(JSContext *ctx, JSValue code);
int32_t result_error(const char *kind, const char *message);
void result_drop(void);

// Makes the bytes of a C string from QuickJS UTF-8: lone surrogates become U+FFFD.
void utf8_fix(char *text, size_t len);

#endif
