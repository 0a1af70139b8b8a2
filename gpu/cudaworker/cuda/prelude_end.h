
FN f32 sigmoid_f32(f32 x) { // without overflow, so that small results keep their precision
  f32 e = expf(-fabsf(x));
  return x >= 0 ? 1.0f / (1.0f + e) : e / (1.0f + e);
}
FN f64 sigmoid_f64(f64 x) { return 1.0 / (1.0 + exp(-x)); }

// As in Python: computed in float64 for all types.
FN f64 remainder_f64(f64 x, f64 y) {
  f64 m = fmod(x, y);
  if (m == 0) return copysign(0.0, y);
  return (m < 0 && y > 0) || (m > 0 && y < 0) ? m + y : m;
}
FN f64 floor_divide_f64(f64 x, f64 y) {
  if (y == 0) return x / y;
  f64 m = fmod(x, y), q = (x - m) / y;
  if ((m < 0 && y > 0) || (m > 0 && y < 0)) q -= 1;
  if (q == 0) return copysign(0.0, x / y);
  f64 f = floor(q);
  return q - f <= 0.5 ? f : ceil(q);
}

// Keys whose order as unsigned numbers is that of the values: NaN last, zeros equal.
FN u64 key_u8(u8 x) { return x; }
FN u64 key_i32(i32 x) { return (u64)(i64)x ^ 0x8000000000000000ull; }
FN u64 key_i64(i64 x) { return (u64)x ^ 0x8000000000000000ull; }
FN u64 key_f64(f64 x) {
  if (x != x) return ~0ull;
  u64 b = f64_bits(x == 0 ? 0.0 : x);
  return b >> 63 ? ~b : b | 0x8000000000000000ull;
}
FN u64 key_f32(f32 x) { return key_f64((f64)x); }
