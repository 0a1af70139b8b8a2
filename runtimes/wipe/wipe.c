#include "wipe.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wasm_simd128.h>

static inline bool
wipe_64(char *p)
{
    v128_t a = wasm_v128_load(p), b = wasm_v128_load(p + 16);
    v128_t c = wasm_v128_load(p + 32), d = wasm_v128_load(p + 48);
    if (!wasm_v128_any_true(wasm_v128_or(wasm_v128_or(a, b), wasm_v128_or(c, d)))) {
        return false;
    }
    const v128_t zero = wasm_i64x2_const(0, 0);
    wasm_v128_store(p, zero);
    wasm_v128_store(p + 16, zero);
    wasm_v128_store(p + 32, zero);
    wasm_v128_store(p + 48, zero);
    return true;
}

__attribute__((noinline, no_builtin("memset"))) void
wipe_now(void *at, size_t n)
{
    char *p = at, *end = p + n;
    if (n >= 256) {
        for (; p < end - 64; p += 64) {
            wipe_64(p);
        }
        wipe_64(end - 64);
        return;
    }
    for (; p + 16 <= end; p += 16) {
        wasm_v128_store(p, wasm_i64x2_const(0, 0));
    }
    for (; p < end; p++) {
        *p = 0;
    }
}

__attribute__((noinline)) void
wipe_stack(uintptr_t gap)
{
    _Alignas(16) volatile char here[16] = {0};  /* all of this function's frame */
    uintptr_t p = (uintptr_t)here;
    for (uintptr_t end = p > gap ? p - gap : 64; p > end; p -= 64) {
        if (wipe_64((char *)p - 64)) {
            end = p > gap ? p - gap : 64;
        }
    }
}

/* ---- the C library's allocator ----

   The linker puts these in the place of its functions (--wrap). A block is a
   multiple of 16 bytes with, in front of what it holds, the length of this block;
   its last bit but one says that the block is in use. */

void *__real_realloc(void *p, size_t n);
void __real_free(void *p);

void
__wrap_free(void *p)
{
    if (p && wipe_wanted()) {
        wipe_now(p, malloc_usable_size(p));
    }
    __real_free(p);
}

enum { FLAGS = 7, IN_USE = 2, OVERHEAD = 4 };

static inline size_t
head(const char *p)
{
    return *(const size_t *)(p - OVERHEAD);
}

/* Whether the block at p, of which `have` bytes can be used, is sure to grow to n
   bytes where it is, because enough free memory follows it. */
static bool
grows_in_place(char *p, size_t have, size_t n)
{
    char *next = p + have + OVERHEAD;
    return !(head(next) & IN_USE) && have + (head(next) & ~(size_t)FLAGS) > n + 32;
}

/* realloc would move a block without wiping where it was. */
void *
__wrap_realloc(void *p, size_t n)
{
    if (p == NULL || !wipe_wanted()) {
        return __real_realloc(p, n);
    }
    size_t have = malloc_usable_size(p);
    if (n <= have) {
        wipe_now((char *)p + n, have - n);
        return __real_realloc(p, n);
    }
    if (grows_in_place(p, have, n)) {
        return __real_realloc(p, n);
    }
    void *q = malloc(n);
    if (q) {
        memcpy(q, p, have);
        __wrap_free(p);
    }
    return q;
}
