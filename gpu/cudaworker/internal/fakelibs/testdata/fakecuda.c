// A library that looks like libcuda to the bindings and has a device that is the processor. It is for tests.
//
// Work on a stream is done late: when an event after it is asked for. So memory that is used again too early shows. Each
// allocation ends at a page that cannot be touched, and ceases to exist when it is freed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OK = 0, INVALID = 1, NOMEM = 2, NOTREADY = 600, ILLEGAL = 700, NOTFOUND = 500 };

static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;
#define LOCK pthread_mutex_lock(&big)
#define RETURN(x) do { int r_ = (x); pthread_mutex_unlock(&big); return r_; } while (0)

// What tests read and set: see fake_number.
enum { DEVICE_BYTES, HOST_BYTES, STREAMS, EVENTS, MODULES, CONTEXTS, LAUNCHES, REGISTERED, LIMIT, DEVICES, NUMBERS };
static int64_t numbers[NUMBERS] = {[LIMIT] = (int64_t)1 << 34, [DEVICES] = 1};
int64_t fake_number(int which, int64_t set) {
  LOCK;
  if (set >= 0) numbers[which] = set;
  int64_t n = numbers[which];
  pthread_mutex_unlock(&big);
  return n;
}

typedef struct area { char *base; size_t size, mapped; int kind; struct area *next; } area;
static area *areas;
static area *find(const void *p, size_t n) {
  for (area *a = areas; a; a = a->next)
    if ((char *)p >= a->base && (char *)p + n <= a->base + a->size) return a;
  return 0;
}
static area *make(size_t n, int kind) {
  size_t page = 4096, mapped = (n + page - 1) / page * page;
  char *m = mmap(0, mapped + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED) return 0;
  mprotect(m + mapped, page, PROT_NONE);
  area *a = malloc(sizeof *a);
  *a = (area){m, n, mapped + page, kind, areas};
  areas = a;
  memset(m, 0x5a, n < 65536 ? n : 65536); // what somebody else has left
  return a;
}
static int drop(void *p, int kind) {
  for (area **at = &areas; *at; at = &(*at)->next) {
    area *a = *at;
    if (a->base != p || a->kind != kind) continue;
    *at = a->next;
    if (kind != 2) munmap(a->base, a->mapped);
    numbers[kind == 0 ? DEVICE_BYTES : kind == 1 ? HOST_BYTES : REGISTERED] -= a->size;
    free(a);
    return OK;
  }
  return INVALID;
}

typedef struct op { void (*run)(void *); struct op *next; uint64_t number; char data[]; } op;
typedef struct { op *first, **last; uint64_t queued, done; } stream;
typedef struct { stream *s; uint64_t number; } event;
static stream *streams[256];

static void *push(stream *s, void (*run)(void *), size_t n) {
  op *o = calloc(1, sizeof(op) + n);
  o->run = run;
  o->number = ++s->queued;
  *s->last = o;
  s->last = &o->next;
  return o->data;
}
static void step(stream *s) {
  op *o = s->first;
  s->first = o->next;
  if (!s->first) s->last = &s->first;
  o->run(o->data);
  s->done = o->number;
  free(o);
}
// fake_push lets the other libraries queue work.
void *fake_push(void *s, void (*run)(void *), size_t n) {
  LOCK;
  void *p = push(s, run, n);
  pthread_mutex_unlock(&big);
  return p;
}
int fake_device(const void *p, size_t n) { LOCK; area *a = find(p, n); RETURN(a != 0 && a->kind == 0); }

static int context;
static __thread int current;

int cuInit(unsigned f) { return f ? INVALID : OK; }
int cuDriverGetVersion(int *v) { *v = 13000; return OK; }
int cuDeviceGetCount(int *n) { *n = (int)numbers[DEVICES]; return OK; }
int cuDeviceGet(int *d, int i) { *d = i + 40; return i < numbers[DEVICES] ? OK : 101; }
int cuDeviceGetName(char *s, int n, int d) { snprintf(s, n, "Fake %d", d); return OK; }
int cuDeviceGetAttribute(int *v, int a, int d) {
  *v = a == 75 ? 9 : a == 76 ? 0 : a == 16 ? 4 : -1;
  return d == 40 ? OK : INVALID;
}
int cuDeviceGetUuid_v2(char *u, int d) { for (int i = 0; i < 16; i++) u[i] = (char)(d + i); return OK; }
int cuDeviceTotalMem_v2(size_t *n, int d) { *n = (size_t)numbers[LIMIT]; return d == 40 ? OK : INVALID; }
int cuDevicePrimaryCtxRetain(void **c, int d) { LOCK; numbers[CONTEXTS]++; *c = &context; RETURN(d == 40 ? OK : INVALID); }
int cuDevicePrimaryCtxRelease_v2(int d) { LOCK; numbers[CONTEXTS]--; RETURN(d == 40 ? OK : INVALID); }
int cuCtxSetCurrent(void *c) { current = c == &context; return c == &context || !c ? OK : INVALID; }
#define CURRENT if (!current) return 201
int cuMemGetInfo_v2(size_t *f, size_t *t) { CURRENT; *t = (size_t)numbers[LIMIT]; *f = *t - (size_t)numbers[DEVICE_BYTES]; return OK; }
int cuMemAlloc_v2(uint64_t *p, size_t n) {
  CURRENT;
  LOCK;
  if (!n) RETURN(INVALID);
  if (numbers[DEVICE_BYTES] + (int64_t)n > numbers[LIMIT]) RETURN(NOMEM);
  area *a = make(n, 0);
  if (!a) RETURN(NOMEM);
  numbers[DEVICE_BYTES] += n;
  *p = (uint64_t)a->base;
  RETURN(OK);
}
int cuMemFree_v2(uint64_t p) {
  CURRENT;
  LOCK;
  for (int i = 0; i < 256; i++) while (streams[i] && streams[i]->first) step(streams[i]);
  RETURN(drop((void *)p, 0));
}
int cuMemHostAlloc(void **p, size_t n, unsigned flags) {
  CURRENT;
  LOCK;
  area *a = flags ? 0 : make(n, 1);
  if (!a) RETURN(INVALID);
  numbers[HOST_BYTES] += n;
  *p = a->base;
  RETURN(OK);
}
int cuMemFreeHost(void *p) { CURRENT; LOCK; RETURN(drop(p, 1)); }
int cuMemHostRegister_v2(void *p, size_t n, unsigned flags) {
  CURRENT;
  LOCK;
  if (flags || !n || find(p, 1)) RETURN(INVALID);
  area *a = malloc(sizeof *a);
  *a = (area){p, n, 0, 2, areas};
  areas = a;
  numbers[REGISTERED] += n;
  RETURN(OK);
}
int cuMemHostUnregister(void *p) { CURRENT; LOCK; RETURN(drop(p, 2)); }

typedef struct { void *dst; const void *src; size_t n; int value; } copying;
static void copies(void *p) { copying *c = p; memcpy(c->dst, c->src, c->n); }
static void fills(void *p) { copying *c = p; memset(c->dst, c->value, c->n); }
static int copy(void *dst, const void *src, size_t n, stream *s, int host) {
  LOCK;
  const void *h = host == 0 ? src : dst, *d = host == 0 ? dst : src;
  area *a = find(h, n), *b = find(d, n);
  if (!b || b->kind != 0 || !a || a->kind == 0) RETURN(ILLEGAL); // memory of the host must be pinned or registered
  *(copying *)push(s, copies, sizeof(copying)) = (copying){dst, src, n, 0};
  RETURN(OK);
}
int cuMemcpyHtoDAsync_v2(uint64_t dst, const void *src, size_t n, stream *s) { CURRENT; return copy((void *)dst, src, n, s, 0); }
int cuMemcpyDtoHAsync_v2(void *dst, uint64_t src, size_t n, stream *s) { CURRENT; return copy(dst, (void *)src, n, s, 1); }
int cuMemsetD8Async(uint64_t dst, unsigned char v, size_t n, stream *s) {
  CURRENT;
  LOCK;
  if (!find((void *)dst, n)) RETURN(ILLEGAL);
  *(copying *)push(s, fills, sizeof(copying)) = (copying){(void *)dst, 0, n, v};
  RETURN(OK);
}
int cuStreamCreate(stream **s, unsigned flags) {
  CURRENT;
  LOCK;
  if (flags != 1) RETURN(INVALID);
  *s = calloc(1, sizeof **s);
  (*s)->last = &(*s)->first;
  for (int i = 0; i < 256; i++) if (!streams[i]) { streams[i] = *s; break; }
  numbers[STREAMS]++;
  RETURN(OK);
}
int cuStreamDestroy_v2(stream *s) {
  CURRENT;
  LOCK;
  while (s->first) step(s);
  for (int i = 0; i < 256; i++) if (streams[i] == s) streams[i] = 0;
  free(s);
  numbers[STREAMS]--;
  RETURN(OK);
}
int cuEventCreate(event **e, unsigned flags) { CURRENT; LOCK; *e = calloc(1, sizeof **e); numbers[EVENTS]++; RETURN(flags == 2 ? OK : INVALID); }
int cuEventDestroy_v2(event *e) { CURRENT; LOCK; free(e); numbers[EVENTS]--; RETURN(OK); }
int cuEventRecord(event *e, stream *s) { CURRENT; LOCK; e->s = s; e->number = s->queued; RETURN(OK); }
int cuEventQuery(event *e) {
  CURRENT;
  LOCK;
  for (int i = 0; i < 3 && e->s && e->s->done < e->number; i++) step(e->s);
  RETURN(e->s && e->s->done < e->number ? NOTREADY : OK);
}

typedef struct { void *so; void (*run)(unsigned, unsigned, void *, char *); size_t *bytes; } module;
static char *stacks;
int cuModuleLoadData(module **m, const char *image) {
  CURRENT;
  LOCK;
  uint64_t n;
  if (memcmp(image, "FAKE", 4)) RETURN(200);
  memcpy(&n, image + 8, 8);
  char path[64];
  static int count; // libraries of the same name are taken for the same
  snprintf(path, sizeof path, "/tmp/fakekernel-%d-%d-XXXXXX", (int)getpid(), count++);
  int fd = mkstemp(path);
  if (fd < 0 || write(fd, image + 16, n) != (ssize_t)n) RETURN(NOMEM);
  close(fd);
  void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  unlink(path);
  if (!so) RETURN(200);
  *m = malloc(sizeof **m);
  **m = (module){so, dlsym(so, "fake_run"), dlsym(so, "fake_bytes")};
  numbers[MODULES]++;
  RETURN(OK);
}
int cuModuleUnload(module *m) { CURRENT; LOCK; dlclose(m->so); free(m); numbers[MODULES]--; RETURN(OK); }
int cuModuleGetFunction(void **f, module *m, const char *name) { CURRENT; *f = m; return strcmp(name, "k") ? NOTFOUND : OK; }

typedef struct { module *m; unsigned blocks, threads; uint64_t params[512]; } launching;
static void launches(void *p) {
  launching *l = p;
  if (!stacks) stacks = mmap(0, 256 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  l->m->run(l->blocks, l->threads, l->params, stacks);
}
int cuLaunchKernel(module *m, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   stream *s, void **params, void **extra) {
  CURRENT;
  LOCK;
  if (!gx || gy != 1 || gz != 1 || !bx || bx > 256 || by != 1 || bz != 1 || shared || extra || *m->bytes > 4096) RETURN(INVALID);
#ifdef ILLEGAL_AFTER
  if (numbers[LAUNCHES] >= ILLEGAL_AFTER) RETURN(ILLEGAL);
#endif
  launching *l = push(s, launches, sizeof *l);
  *l = (launching){m, gx, bx, {0}};
  memcpy(l->params, params[0], *m->bytes);
  numbers[LAUNCHES]++;
  RETURN(OK);
}
int cuGetErrorString(int e, const char **s) { *s = e == NOMEM ? "out of memory" : e == ILLEGAL ? "an illegal memory access was encountered" : "fake error"; return OK; }
