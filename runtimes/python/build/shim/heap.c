/* The request heap: where objects live that are made after a seal.

   An image is mapped copy-on-write, so what a call costs beyond its own work is
   the number of pages that it writes to. pymalloc spreads new objects over the
   half-empty pools of an image, a page or more for each size. This allocator
   puts them side by side into a region of fresh memory, sizes mixed, and
   ignores the release of objects that are part of the image: they take no more
   room than the image had, and to link them into a free list would dirty their
   page.

   That is right for a short call. A long-lived instance outgrows the region:
   from then on (`full`) requests that the region cannot meet go to pymalloc, and
   old objects are really freed. As long as the region is not full every block
   outside of it is older than the seal, so nothing that is newer is ever lost.
   Blocks of the region are always reused.

   What is freed is wiped (wipe.h), objects of the image too: one that changes may
   have taken up what a call brought. Freeing it has written to its reference count
   anyway. pymalloc (obmalloc.patch) and the C library's functions do the same. */

#include "spore.h"
#include "wipe.h"
#include <malloc.h>
#include <string.h>

size_t _PyObject_PymallocSize(void *p);

enum { REGION = 512 * 1024, REGION_MIN = 384 * 1024, PAGE = 4096 };

/* A block is a 4-byte header and a payload that is aligned to 8, as pymalloc's
   are on a 32-bit machine. The header holds the payload's size, which is 4 more
   than a multiple of 8; bit 0 says that the block is free. */
enum { HEADER = 4, FREE_BIT = 1 };

#define heap hot.heap

static PyMemAllocatorEx below[2];   /* what was there before: MEM, OBJ */
static int installed;

/* Regions of earlier seals. Their blocks live on, but are never freed. */
enum { RETIRED_MAX = 7 };
static struct { char *base, *end; } retired[RETIRED_MAX];
static int retired_count;

static inline uint32_t *
header(void *p)
{
    return (uint32_t *)p - 1;
}

static inline uint32_t
capacity(void *p)
{
    return *header(p) & ~(uint32_t)FREE_BIT;
}

static inline int
in_region(void *p)
{
    return (char *)p >= heap.base && (char *)p < heap.end;
}

static inline int
in_retired(void *p)
{
    for (int i = 0; i < retired_count; i++) {
        if ((char *)p >= retired[i].base && (char *)p < retired[i].end) {
            return 1;
        }
    }
    return 0;
}

/* Class whose blocks hold n bytes, and how many they hold. */
static inline uint32_t
class_of(size_t n, uint32_t *size)
{
    uint32_t blocks = (uint32_t)(n + HEADER + 7) / 8;   /* of 8 bytes, header included */
    if (blocks < 2) {
        blocks = 2;
    }
    if (blocks <= SMALL_MAX / 8) {
        *size = blocks * 8 - HEADER;
        return blocks - 1;
    }
    uint32_t top = 31 - (uint32_t)__builtin_clz(blocks - 1);    /* >= 6 */
    uint32_t step = 1u << (top - 2);
    uint32_t quarter = (blocks - 1) >> (top - 2) & 3;
    *size = ((1u << top) + (quarter + 1) * step) * 8 - HEADER;
    return SMALL_MAX / 8 + (top - 6) * 4 + quarter;
}

static inline void *
region_alloc(size_t n)
{
    uint32_t size;
    uint32_t c = class_of(n, &size);
    void *p = heap.free[c];
    if (p) {
        heap.free[c] = *(void **)p;
        *header(p) = size;
        return p;
    }
    if ((size_t)(heap.end - heap.cur) >= size + HEADER) {
        p = heap.cur + HEADER;
        heap.cur += size + HEADER;
        *header(p) = size;
        return p;
    }
    return NULL;
}

static inline void
region_free(void *p)
{
    uint32_t size;
    uint32_t c = class_of(capacity(p), &size);
    *header(p) |= FREE_BIT;
    wipe(p, size);
    *(void **)p = heap.free[c];
    heap.free[c] = p;
}

static size_t
usable(void *p)
{
    size_t n = _PyObject_PymallocSize(p);
    return n ? n : malloc_usable_size(p);
}

/* Notes if there is no memory. */
static inline void *
granted(void *p)
{
    if (p == NULL) {
        heap.refused = 1;
    }
    return p;
}

static void *
heap_malloc(void *ctx, size_t n)
{
    if (n <= BLOCK_MAX - HEADER) {
        void *p = region_alloc(n);
        if (p) {
            return p;
        }
    }
    heap.full = 1;
    PyMemAllocatorEx *a = ctx;
    return granted(a->malloc(a->ctx, n));
}

static void *
heap_calloc(void *ctx, size_t count, size_t each)
{
    if (each == 0 || count <= (BLOCK_MAX - HEADER) / each) {
        void *p = region_alloc(count * each);
        if (p) {
            return memset(p, 0, count * each);
        }
    }
    heap.full = 1;
    PyMemAllocatorEx *a = ctx;
    return granted(a->calloc(a->ctx, count, each));
}

static void
heap_free(void *ctx, void *p)
{
    if (p == NULL) {
        return;
    }
    if (in_region(p)) {
        if ((uintptr_t)p >= heap.old) {
            region_free(p);
        }
        else {
            wipe(p, capacity(p));
        }
        return;
    }
    if (in_retired(p)) {
        wipe(p, capacity(p));
        return;
    }
    if (!heap.full) {
        wipe(p, usable(p));
        return;
    }
    PyMemAllocatorEx *a = ctx;
    a->free(a->ctx, p);
}

/* A block that stays where it is although it could hold more than it has to. */
static inline void *
shrunk(void *p, size_t n, size_t have)
{
    wipe((char *)p + n, have - n);
    return p;
}

static void *
heap_realloc(void *ctx, void *p, size_t n)
{
    if (p == NULL) {
        return heap_malloc(ctx, n);
    }
    size_t have;
    if (in_region(p)) {
        have = capacity(p);
        if (n <= have && (n >= have / 2 || have <= 64)) {
            return shrunk(p, n, have);
        }
        /* The newest block grows and shrinks where it is. */
        if ((char *)p + have == heap.cur && (uintptr_t)p >= heap.old &&
            n <= BLOCK_MAX - HEADER)
        {
            uint32_t size;
            class_of(n, &size);
            if ((size_t)(heap.end - (char *)p) >= size) {
                if (n < have) {
                    shrunk(p, n, have);
                }
                heap.cur = (char *)p + size;
                *header(p) = size;
                return p;
            }
        }
    }
    else if (in_retired(p)) {
        have = capacity(p);
        if (n <= have) {
            return shrunk(p, n, have);
        }
    }
    else if (!heap.full) {
        have = usable(p);
        if (n <= have && n >= have / 2) {
            return shrunk(p, n, have);
        }
    }
    else {
        PyMemAllocatorEx *a = ctx;
        return granted(a->realloc(a->ctx, p, n));
    }
    void *q = heap_malloc(ctx, n);
    if (q) {
        memcpy(q, p, n < have ? n : have);
        heap_free(ctx, p);
    }
    return q;
}

/* Everything there is becomes old; later objects start on a page of their own. */
void
heap_begin(void)
{
    if (heap.base) {
        char *next = (char *)(((uintptr_t)heap.cur + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
        heap.cur = next + HEADER;
    }
    if (heap.end - heap.cur < REGION_MIN && retired_count < RETIRED_MAX) {
        char *region = aligned_alloc(PAGE, REGION);
        if (region == NULL) {
            return;
        }
        memset(region, 0, REGION);
        if (heap.base) {
            retired[retired_count].base = heap.base;
            retired[retired_count++].end = heap.end;
        }
        heap.base = region;
        heap.cur = region + HEADER;
        heap.end = region + REGION;
    }
    if (heap.cur > heap.end) {
        heap.cur = heap.end;
    }
    memset(heap.free, 0, sizeof heap.free);
    heap.full = 0;
    heap.refused = 0;
    heap.old = (uintptr_t)heap.cur;

    if (!installed) {
        installed = 1;
        PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &below[0]);
        PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &below[1]);
        PyMemAllocatorEx mem = {&below[0], heap_malloc, heap_calloc, heap_realloc, heap_free};
        PyMemAllocatorEx obj = {&below[1], heap_malloc, heap_calloc, heap_realloc, heap_free};
        PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &mem);
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &obj);
    }

    /* Larger blocks come from the C library. Leave it a stretch of memory at the
       top, so that small calls need not grow the memory. */
    void *volatile top = malloc(REGION);
    free(top);
}
