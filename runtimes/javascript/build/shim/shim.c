// The exports of the guest ABI: start-up, loading, calls and the capture.

#include "shim.h"
#include "wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

// What JavaScript may use of the C stack (see build.sh). The rest is for the frames of C functions between two checks,
// and a deeper stack would meet the limit of the WebAssembly engine before that of the interpreter. With 704 KiB some
// recursion takes wazero's native stack beyond 20 MiB: to its next doubling, twice the memory and twice the time that
// the guest cannot be stopped while it is copied (TestNativeStack in engine).
#define JS_STACK_SIZE (672 * 1024)

// Untouched memory set aside by spore_seal, so that a small call writes to few pages and never grows the memory.
#define RESERVE_BOOT (512 * 1024) // also takes the component
#define RESERVE_LOAD (256 * 1024)
#define RESERVE_LARGE (128 * 1024) // for blocks that do not come from the interpreter's small-block area
#define GC_SLACK (1024 * 1024)     // garbage after a capture before the first collection

#define TIDY_MAX 1024              // of its own objects an instance is searched for cycles after each call

#define INPUT_SMALL 65536

static uint8_t input_small[INPUT_SMALL];

struct control control = {.abi = 1, .input = input_small, .input_cap = INPUT_SMALL, .kept = 1};
struct state state;

// The bytecode of guest/main.js and all it imports. Not constant, because it is wiped once it has been loaded.
static uint8_t prelude[] = {
#embed PRELUDE
};

// --- memory

static void *note(void *p) {
	if (!p)
		state.no_memory = true;
	return p;
}
static void *mem_calloc(void *opaque, size_t count, size_t size) { return note(calloc(count, size)); }
static void *mem_malloc(void *opaque, size_t size) { return note(malloc(size)); }
static void mem_free(void *opaque, void *p) { free(p); }
static void *mem_realloc(void *opaque, void *p, size_t size) { return note(realloc(p, size)); }
static size_t mem_usable(const void *p) { return malloc_usable_size((void *)p); }

static const JSMallocFunctions mem = {mem_calloc, mem_malloc, mem_free, mem_realloc, mem_usable};

// --- input

EXPORT(spore_control) struct control *spore_control(void) { return &control; }

EXPORT(spore_reserve) int32_t spore_reserve(uint32_t n) {
	if (n <= control.input_cap)
		return 0;
	uint8_t *p = malloc(n);
	if (!p)
		return -1;
	if (control.input != input_small)
		free(control.input);
	control.input = p;
	control.input_cap = n;
	return 0;
}

// Called when an export has read `len` bytes of input: a large area is not kept, and a small one is left as it was.
static void input_drop(uint32_t len) {
	if (control.input == input_small) {
		wipe(input_small, len);
		return;
	}
	free(control.input);
	control.input = input_small;
	control.input_cap = INPUT_SMALL;
}

// The input is two pieces of these lengths, and a zero behind them.
static bool input_ok(uint32_t a, uint32_t b) {
	return a < control.input_cap && b < control.input_cap - a;
}

static void enter(void) {
	result_drop();
	state.no_memory = false;
}

// Keeps spore.tick among the imports. The calls that matter are put in by the engine, at the heads of loops.
EXPORT(spore_yield) int32_t spore_yield(void) { return host_tick(); }

// --- jobs

static void fail(JSValue exception) {
	if (JS_IsUninitialized(state.failure))
		state.failure = exception;
	else
		JS_FreeValue(state.ctx, exception);
}

static void run_jobs(void) {
	JSContext *ctx;
	int r;
	while ((r = JS_ExecutePendingJob(state.rt, &ctx)) != 0)
		if (r < 0)
			fail(JS_GetException(ctx));
}

// --- start

EXPORT(spore_boot) int32_t spore_boot(void) {
	enter();
	if (state.rt)
		return result_error("abi", "spore_boot was called twice");
	state.rt = JS_NewRuntime2(&mem, NULL);
	JSContext *ctx = state.ctx = state.rt ? JS_NewContext(state.rt) : NULL;
	if (!ctx)
		return result_error("memory", "no memory for the interpreter");
	clock_start(true);
	JS_SetMaxStackSize(state.rt, JS_STACK_SIZE);
	JS_SetHostPromiseRejectionTracker(state.rt, rejections_track, NULL);
	state.main = state.hooks = JS_UNDEFINED;
	state.failure = JS_UNINITIALIZED;

	JSValue global = JS_GetGlobalObject(ctx);
	JS_SetPropertyStr(ctx, global, "__spore", native_new(ctx));
	JS_FreeValue(ctx, global);
	JSValue f = JS_ReadObject(ctx, prelude, sizeof prelude, JS_READ_OBJ_BYTECODE);
	memset(prelude, 0, sizeof prelude);
	JSValue v = JS_IsException(f) ? f : JS_EvalFunction(ctx, f);
	if (JS_IsException(v))
		return result_exception(ctx);
	JS_FreeValue(ctx, v);
	v = hook_call("warm", 0, NULL);
	if (JS_IsException(v))
		return result_exception(ctx);
	JS_FreeValue(ctx, v);
	run_jobs();
	return result_none(STATUS_JSON);
}

// --- running

// A restored guest must not repeat what another one drew.
static void refresh(void) {
	if (!control.fresh)
		return;
	control.fresh = 0;
	uint64_t seed;
	if (__wasi_random_get((uint8_t *)&seed, sizeof seed))
		__builtin_trap(); // better no guest than one with known randomness
	JS_Reseed(state.ctx, seed);
	clock_start(!state.started);
	if (state.started)
		return;
	state.started = true;
	// What the component began while it was loaded was begun by another guest.
	if (control.pending) {
		control.pending = 0;
		JSValue v = hook_call("start", 0, NULL);
		if (JS_IsException(v))
			fail(JS_GetException(state.ctx));
		JS_FreeValue(state.ctx, v);
	}
}

static int32_t finish(int32_t status) {
	JS_FreeValue(state.ctx, state.main);
	state.main = JS_UNDEFINED;
	state.busy = false;
	return status;
}

static void await_main(JSValue promise) {
	JS_PromiseMarkAsHandled(state.ctx, promise);
	state.main = promise;
	state.busy = true;
}

#define AGAIN (-1) // no status

// Runs what is ready to run and says how the call in progress stands.
static int32_t step(void) {
	JSContext *ctx = state.ctx;
	run_jobs();
	if (state.busy)
		rejections_forget(state.main);
	rejections_log();
	if (!JS_IsUninitialized(state.failure)) {
		JSValue e = state.failure;
		state.failure = JS_UNINITIALIZED;
		if (state.busy) {
			JS_Throw(ctx, e);
			return finish(result_exception(ctx));
		}
		JS_FreeValue(ctx, hook_call("uncaught", 1, (JSValueConst *)&e));
		JS_FreeValue(ctx, e);
	}
	if (!state.busy)
		return result_value(ctx, JS_UNDEFINED);

	JSValue v;
	switch (JS_PromiseState(ctx, state.main)) {
	case JS_PROMISE_PENDING:
		if (control.pending)
			return result_none(STATUS_PENDING);
		return finish(result_error("stuck", "the promise can never settle: no timer and no host call is pending"));
	case JS_PROMISE_REJECTED:
		JS_Throw(ctx, JS_PromiseResult(ctx, state.main));
		return finish(result_exception(ctx));
	default: // fulfilled
		v = JS_PromiseResult(ctx, state.main);
		break;
	}
	if (JS_IsObject(v)) { // an element is rendered, a generator is run
		JSValue shown = hook_call("present", 1, (JSValueConst *)&v);
		JS_FreeValue(ctx, v);
		v = shown;
		if (JS_IsPromise(v)) {
			JS_FreeValue(ctx, state.main);
			await_main(v);
			return AGAIN;
		}
		run_jobs();
	}
	return finish(JS_IsException(v) ? result_exception(ctx) : result_value(ctx, v));
}

static int32_t advance(void) {
	int32_t status;
	while ((status = step()) == AGAIN)
		;
	if (status == STATUS_PENDING && wipe_wanted()) // it may be captured; when a call is over, spore_tidy is called before
		wipe_stack(WIPE_GAP);
	return status;
}

// Takes what a call returned: a value, a promise or an exception.
static int32_t conclude(JSValue v) {
	JSContext *ctx = state.ctx;
	bool thrown = JS_IsException(v);
	if (thrown)
		v = JS_GetException(ctx);
	if (thrown || !JS_IsPromise(v)) {
		JSValue p = JS_NewSettledPromise(ctx, thrown, v);
		JS_FreeValue(ctx, v);
		v = p;
	}
	if (JS_IsException(v))
		return result_exception(ctx);
	await_main(v);
	return advance();
}

EXPORT(spore_load) int32_t spore_load(uint32_t name_len, uint32_t code_len) {
	enter();
	if (!state.ctx || state.loaded || !input_ok(name_len, code_len))
		return result_error("abi", "spore_load: out of order, or the input does not fit");
	state.loaded = true;
	control.kept = 1; // in the image
	JSContext *ctx = state.ctx;
	char *name = malloc(name_len + 1);
	if (!name)
		return result_error("memory", "no memory for the component");
	memcpy(name, control.input, name_len);
	name[name_len] = 0;
	JSValue f = JS_Eval(ctx, (const char *)control.input + name_len, code_len, name, JS_EVAL_TYPE_GLOBAL);
	JSValue v = f;
	if (!JS_IsException(f)) {
		v = hook_call("load", 1, (JSValueConst *)&f);
		JS_FreeValue(ctx, f);
	}
	free(name);
	JSValue code = JS_IsException(f) ? JS_NewStringLen(ctx, (const char *)control.input + name_len, code_len) : JS_UNDEFINED;
	input_drop(name_len + code_len);
	if (JS_IsException(f))
		return result_syntax(ctx, code);
	if (JS_IsException(v))
		return result_exception(ctx);
	JS_FreeValue(ctx, v);
	run_jobs();
	rejections_log();
	if (!JS_IsUninitialized(state.failure)) {
		JS_Throw(ctx, state.failure);
		state.failure = JS_UNINITIALIZED;
		return result_exception(ctx);
	}
	return result_none(STATUS_JSON);
}

EXPORT(spore_call) int32_t spore_call(uint32_t name_len, uint32_t frame_len) {
	enter();
	if (!state.loaded || !input_ok(name_len, frame_len))
		return result_error("abi", "spore_call: nothing is loaded, or the input does not fit");
	if (state.busy)
		return result_error("abi", "spore_call: the last call has not finished");
	refresh();
	JSContext *ctx = state.ctx;
	JSValue args[2];
	args[0] = JS_NewStringLen(ctx, (const char *)control.input, name_len);
	args[1] = frame_decode(ctx, control.input + name_len, frame_len);
	input_drop(name_len + frame_len);
	if (JS_IsException(args[1])) {
		JS_FreeValue(ctx, args[0]);
		if (state.no_memory)
			return result_exception(ctx);
		JS_FreeValue(ctx, JS_GetException(ctx));
		return result_error("abi", "spore_call: the frame is malformed");
	}
	JSValue v = hook_call("invoke", 2, (JSValueConst *)args);
	JS_FreeValue(ctx, args[0]);
	JS_FreeValue(ctx, args[1]);
	return conclude(v);
}

EXPORT(spore_settle) int32_t spore_settle(uint32_t id, uint32_t ok, uint32_t frame_len) {
	enter();
	if (!state.loaded || !input_ok(0, frame_len))
		return result_error("abi", "spore_settle: nothing is loaded, or the input does not fit");
	refresh();
	JSContext *ctx = state.ctx;
	JSValue args[3] = {JS_NewUint32(ctx, id), JS_NewBool(ctx, ok != 0), frame_decode(ctx, control.input, frame_len)};
	input_drop(frame_len);
	if (JS_IsException(args[2])) {
		if (state.no_memory)
			return result_exception(ctx);
		JS_FreeValue(ctx, JS_GetException(ctx));
		return result_error("abi", "spore_settle: the frame is malformed");
	}
	JSValue v = hook_call("settle", 3, (JSValueConst *)args);
	JS_FreeValue(ctx, args[2]);
	if (JS_IsException(v))
		return result_exception(ctx);
	if (!JS_ToBool(ctx, v))
		return result_error("abi", "spore_settle: no such host call is pending");
	control.pending--;
	return advance();
}

// --- capture

EXPORT(spore_tidy) int32_t spore_tidy(void) {
	enter();
	JS_Tidy(state.rt, TIDY_MAX);
	wipe_stack(WIPE_GAP);
	return result_none(STATUS_JSON);
}

EXPORT(spore_seal) int32_t spore_seal(void) {
	enter();
	if (!state.rt)
		return result_error("abi", "spore_seal was called before spore_boot");
	free(malloc(RESERVE_LARGE));
	if (JS_SealRuntime(state.rt, state.loaded ? RESERVE_LOAD : RESERVE_BOOT))
		return result_error("memory", "no memory to seal the interpreter");
	JSMemoryUsage use;
	JS_ComputeMemoryUsage(state.rt, &use);
	JS_SetGCThreshold(state.rt, use.malloc_size + GC_SLACK);
	wipe_stack(UINTPTR_MAX);
	control.kept = 0;
	control.fresh = 1;
	state.started = false;
	return result_none(STATUS_JSON);
}
