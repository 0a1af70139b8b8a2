// What every kernel begins with: types, conversions, and the operations of programs on single elements. It is written in what C and C++
// have in common, so that the tests can compile kernels for the processor. The names of functions end in the type that is
// computed in; values of float16 and bfloat16 are computed in float32 and rounded after each operation.

#ifdef __CUDACC_RTC__
#define KERNEL extern "C" __global__ void __launch_bounds__(256)
#define FN static __device__ __forceinline__
#define TID threadIdx.x
#define BID blockIdx.x
#define THREADS blockDim.x
#define BLOCKS gridDim.x
#define SHARED __shared__
#define SYNC __syncthreads()
#endif

typedef unsigned char u8;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
typedef float f32;
typedef double f64;

// Parameters are words: addresses, numbers, bits of floats. Words 0 and 1 bound the items of a launch.
typedef struct { u64 w[NWORDS]; } P;

// Threads take items in turn; so do blocks.
#define EACH_THREAD(i) for (INDEX i = (INDEX)p.w[0] + (INDEX)BID * THREADS + TID; i < (INDEX)p.w[1]; i += (INDEX)BLOCKS * THREADS)
#define EACH_BLOCK(i) for (INDEX i = (INDEX)p.w[0] + BID; i < (INDEX)p.w[1]; i += (INDEX)BLOCKS)
#define NUM(i) ((i64)p.w[i])
#define LEN(i) ((INDEX)p.w[i])
#define PTR(i) ((void *)(p.w[i]))
#define FLOAT(i) (bits_f64(p.w[i]))

FN u32 f32_bits(f32 x) { union { f32 f; u32 u; } c; c.f = x; return c.u; }
FN f32 bits_f32(u32 x) { union { f32 f; u32 u; } c; c.u = x; return c.f; }
FN u64 f64_bits(f64 x) { union { f64 f; u64 u; } c; c.f = x; return c.u; }
FN f64 bits_f64(u64 x) { union { f64 f; u64 u; } c; c.u = x; return c.f; }

// float16 and bfloat16, rounded to the nearest, of two to the even one.
FN f32 f16_f32(u16 h) {
  u32 sign = (u32)(h >> 15) << 31, exp = (h >> 10) & 31, frac = h & 0x3ff;
  if (exp == 31) return bits_f32(sign | 0x7f800000u | frac << 13);
  if (exp == 0) return bits_f32(f32_bits((f32)frac * (1.0f / 16777216.0f)) | sign);
  return bits_f32(sign | (exp + 112) << 23 | frac << 13);
}
FN u16 f32_f16(f32 x) {
  u32 b = f32_bits(x), sign = b >> 16 & 0x8000u, mag = b & 0x7fffffffu;
  if (mag > 0x7f800000u) return (u16)(sign | 0x7e00u);
  if (mag >= 0x477ff000u) return (u16)(sign | 0x7c00u);
  if (mag < 0x38800000u) return (u16)(sign | (f32_bits(bits_f32(mag) + 0.5f) - 0x3f000000u));
  mag += 0xfffu + (mag >> 13 & 1);
  return (u16)(sign | (mag - 0x38000000u) >> 13);
}
FN f32 bf16_f32(u16 h) { return bits_f32((u32)h << 16); }
FN u16 f32_bf16(f32 x) {
  u32 b = f32_bits(x);
  if ((b & 0x7fffffffu) > 0x7f800000u) return (u16)(b >> 16 | 0x40);
  return (u16)((b + 0x7fffu + (b >> 16 & 1)) >> 16);
}
FN f32 rnd_f16(f32 x) { return f16_f32(f32_f16(x)); }
FN f32 rnd_bf16(f32 x) { return bf16_f32(f32_bf16(x)); }

// Rounded to odd, so that rounding again to a shorter type is as rounding once.
FN f32 odd_f32(f64 x) {
  f32 f = (f32)x;
  if ((f64)f == x || x != x) return f;
  u32 b = f32_bits(f);
  if (fabs((f64)f) > fabs(x)) b--;
  return bits_f32(b | 1);
}
FN f64 odd_f64(i64 x) {
  if (x > -(1LL << 53) && x < (1LL << 53)) return (f64)x;
  if (x & 0x7ff) x = (x & ~0x7ffLL) | 0x400;
  return (f64)x;
}

// Elements in memory.
FN u8 ld_bool(const void *a, i64 i) { return ((const u8 *)a)[i] != 0; }
FN u8 ld_u8(const void *a, i64 i) { return ((const u8 *)a)[i]; }
FN i32 ld_i32(const void *a, i64 i) { return ((const i32 *)a)[i]; }
FN i64 ld_i64(const void *a, i64 i) { return ((const i64 *)a)[i]; }
FN f32 ld_f16(const void *a, i64 i) { return f16_f32(((const u16 *)a)[i]); }
FN f32 ld_bf16(const void *a, i64 i) { return bf16_f32(((const u16 *)a)[i]); }
FN f32 ld_f32(const void *a, i64 i) { return ((const f32 *)a)[i]; }
FN f64 ld_f64(const void *a, i64 i) { return ((const f64 *)a)[i]; }
FN void st_bool(void *a, i64 i, u8 x) { ((u8 *)a)[i] = x; }
FN void st_u8(void *a, i64 i, u8 x) { ((u8 *)a)[i] = x; }
FN void st_i32(void *a, i64 i, i32 x) { ((i32 *)a)[i] = x; }
FN void st_i64(void *a, i64 i, i64 x) { ((i64 *)a)[i] = x; }
FN void st_f16(void *a, i64 i, f32 x) { ((u16 *)a)[i] = f32_f16(x); }
FN void st_bf16(void *a, i64 i, f32 x) { ((u16 *)a)[i] = f32_bf16(x); }
FN void st_f32(void *a, i64 i, f32 x) { ((f32 *)a)[i] = x; }
FN void st_f64(void *a, i64 i, f64 x) { ((f64 *)a)[i] = x; }

// Conversions: of floats to integers towards 0 and to the ends of the range.
FN u8 f64_to_u8(f64 x) { return !(x > 0) ? 0 : x >= 255 ? 255 : (u8)(i32)x; }
FN i32 f64_to_i32(f64 x) { return x != x ? 0 : x <= -2147483648.0 ? (-2147483647 - 1) : x >= 2147483647.0 ? 2147483647 : (i32)x; }
FN i64 f64_to_i64(f64 x) { return x != x ? 0 : x < -9223372036854775808.0 ? (-9223372036854775807LL - 1) : x >= 9223372036854775808.0 ? 9223372036854775807LL : (i64)x; }

// Philox4x32-10 with the key seed and the counter in the two low words.
FN void philox(u64 seed, u64 counter, u32 *out) {
  u32 k0 = (u32)seed, k1 = (u32)(seed >> 32), c0 = (u32)counter, c1 = (u32)(counter >> 32), c2 = 0, c3 = 0;
  for (int r = 0; r < 10; r++) {
    u64 p0 = (u64)c0 * 0xD2511F53u, p1 = (u64)c2 * 0xCD9E8D57u;
    c0 = (u32)(p1 >> 32) ^ c1 ^ k0; c1 = (u32)p1;
    c2 = (u32)(p0 >> 32) ^ c3 ^ k1; c3 = (u32)p0;
    k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
  }
  out[0] = c0; out[1] = c1; out[2] = c2; out[3] = c3;
}
FN f64 uniform_f64(u32 low, u32 high) { return (f64)(((u64)high << 32 | low) >> 11) * (1.0 / 9007199254740992.0); }
