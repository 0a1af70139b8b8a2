// A module of its own, run only by build.sh: it compiles the prelude to bytecode, so that starting the interpreter does
// not take the time of parsing, nor leave the parser's garbage in the image. The bytecode has no source text, of which
// QuickJS keeps a copy in every function, in nested ones again.

#include "shim.h"

#include <stdlib.h>

struct control control; // nothing is wiped here

static size_t length;

EXPORT(source) char *source(uint32_t n) { return malloc(n); }

// Returns the address of the bytecode, 0 if the source does not compile. source[n - 1] is zero.
EXPORT(compile) const uint8_t *compile(const char *code, uint32_t n) {
	JSRuntime *rt = JS_NewRuntime();
	JSContext *ctx = rt ? JS_NewContext(rt) : NULL;
	if (!ctx)
		return NULL;
	JSValue f = JS_Eval(ctx, code, n - 1, "spore:runtime", JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
	return JS_IsException(f) ? NULL : JS_WriteObject(ctx, &length, f, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
}

EXPORT(bytecode_length) uint32_t bytecode_length(void) { return length; }
