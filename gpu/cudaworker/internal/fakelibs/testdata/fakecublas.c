// A library that looks like libcublas and multiplies one element after the other. It is for tests.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *fake_push(void *s, void (*run)(void *), size_t n);
int fake_device(const void *p, size_t n);

typedef struct { void *stream; int mode; } handle;
int cublasCreate_v2(handle **h) { *h = calloc(1, sizeof **h); return 0; }
int cublasDestroy_v2(handle *h) { free(h); return 0; }
int cublasGetVersion_v2(handle *h, int *v) { *v = h ? 130000 : 0; return 0; }
int cublasSetStream_v2(handle *h, void *s) { h->stream = s; return 0; }
int cublasSetMathMode(handle *h, int m) { h->mode = m; return m == 16 ? 0 : 7; }

typedef struct {
  int ta, tb, m, n, k, type, lda, ldb, ldc, count, compute;
  const char *a, *b;
  char *c;
  long long sa, sb, sc;
} job;

static size_t size_of(int type) { return type == 0 ? 4 : type == 1 ? 8 : 2; }
static double half(uint16_t h) {
  int exp = h >> 10 & 31, frac = h & 0x3ff;
  double f = exp == 31 ? (frac ? __builtin_nan("") : __builtin_inf()) : exp ? __builtin_ldexp(1024 + frac, exp - 25) : __builtin_ldexp(frac, -24);
  return h >> 15 ? -f : f;
}
static double get(const char *p, long long i, int type) {
  uint16_t h;
  uint32_t w;
  float f;
  switch (type) {
  case 0: return ((const float *)p)[i];
  case 1: return ((const double *)p)[i];
  case 2: return half(((const uint16_t *)p)[i]);
  }
  h = ((const uint16_t *)p)[i];
  w = (uint32_t)h << 16;
  memcpy(&f, &w, 4);
  return f;
}
static uint16_t to_half(float x) {
  uint32_t b, w;
  memcpy(&b, &x, 4);
  uint32_t sign = b >> 16 & 0x8000, mag = b & 0x7fffffff;
  if (mag > 0x7f800000) return sign | 0x7e00;
  if (mag >= 0x477ff000) return sign | 0x7c00;
  if (mag < 0x38800000) {
    float f;
    memcpy(&f, &mag, 4);
    f += 0.5f;
    memcpy(&w, &f, 4);
    return sign | (w - 0x3f000000);
  }
  mag += 0xfff + (mag >> 13 & 1);
  return sign | (mag - 0x38000000) >> 13;
}
static void put(char *p, long long i, int type, double x) {
  uint32_t b;
  float f = (float)x;
  memcpy(&b, &f, 4);
  switch (type) {
  case 0: ((float *)p)[i] = f; return;
  case 1: ((double *)p)[i] = x; return;
  case 2: ((uint16_t *)p)[i] = to_half(f); return;
  }
  ((uint16_t *)p)[i] = x != x ? 0x7fc0 : (uint16_t)((b + 0x7fff + (b >> 16 & 1)) >> 16);
}
static void run(void *p) {
  job *j = p;
  for (int l = 0; l < j->count; l++)
    for (int col = 0; col < j->n; col++)
      for (int row = 0; row < j->m; row++) {
        double wide = 0;
        float narrow = 0;
        for (int k = 0; k < j->k; k++) {
          double a = get(j->a, l * j->sa + (j->ta ? (long long)row * j->lda + k : (long long)k * j->lda + row), j->type);
          double b = get(j->b, l * j->sb + (j->tb ? (long long)k * j->ldb + col : (long long)col * j->ldb + k), j->type);
          if (j->compute == 70) wide += a * b;
          else narrow += (float)a * (float)b;
        }
        put(j->c, l * j->sc + (long long)col * j->ldc + row, j->type, j->compute == 70 ? wide : narrow);
      }
}
int cublasGemmStridedBatchedEx(handle *h, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int at, int lda, long long sa,
                               const void *b, int bt, int ldb, long long sb, const void *beta, void *c, int ct, int ldc, long long sc, int count, int compute, int algo) {
  int wide = compute == 70;
  double one = wide ? *(const double *)alpha : *(const float *)alpha, zero = wide ? *(const double *)beta : *(const float *)beta;
  if (one != 1 || zero != 0 || at != bt || at != ct || algo != -1 || m < 1 || n < 1 || k < 1 || count < 1) return 7;
  if (lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m) return 7;
  if (wide != (at == 1) || (!wide && compute != 68 && !(compute == 77 && at == 0))) return 15;
  size_t s = size_of(at);
  if (!fake_device((char *)c + (count - 1) * sc * s, ((size_t)(n - 1) * ldc + m) * s)) return 13;
  if (!fake_device((char *)a + (count - 1) * sa * s, ((size_t)((ta ? m : k) - 1) * lda + (ta ? k : m)) * s)) return 13;
  if (!fake_device((char *)b + (count - 1) * sb * s, ((size_t)((tb ? k : n) - 1) * ldb + (tb ? n : k)) * s)) return 13;
  *(job *)fake_push(h->stream, run, sizeof(job)) = (job){ta, tb, m, n, k, at, lda, ldb, ldc, count, compute, a, b, c, sa, sb, sc};
  return 0;
}
int cublasGemmEx(handle *h, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int at, int lda,
                 const void *b, int bt, int ldb, const void *beta, void *c, int ct, int ldc, int compute, int algo) {
  return cublasGemmStridedBatchedEx(h, ta, tb, m, n, k, alpha, a, at, lda, 0, b, bt, ldb, 0, beta, c, ct, ldc, 0, 1, compute, algo);
}
