
// Operations on TYPE, modulo the range of UNSIGNED.
FN TYPE abs_TYPE(TYPE x) { return x < 0 ? (TYPE)(0 - (UNSIGNED)x) : x; }
FN TYPE negative_TYPE(TYPE x) { return (TYPE)(0 - (UNSIGNED)x); }
FN TYPE sign_TYPE(TYPE x) { return (TYPE)((x > 0) - (x < 0)); }
FN TYPE floor_TYPE(TYPE x) { return x; }
FN TYPE ceil_TYPE(TYPE x) { return x; }
FN TYPE round_TYPE(TYPE x) { return x; }
FN u8 isnan_TYPE(TYPE x) { (void)x; return 0; }
FN TYPE add_TYPE(TYPE x, TYPE y) { return (TYPE)((UNSIGNED)x + (UNSIGNED)y); }
FN TYPE subtract_TYPE(TYPE x, TYPE y) { return (TYPE)((UNSIGNED)x - (UNSIGNED)y); }
FN TYPE multiply_TYPE(TYPE x, TYPE y) { return (TYPE)((UNSIGNED)x * (UNSIGNED)y); }
FN TYPE floor_divide_TYPE(TYPE x, TYPE y) {
  if (y == 0) return 0;
  if (NEGATIVE(y == (TYPE)-1)) return (TYPE)(0 - (UNSIGNED)x); // the smallest number stays as it is
  TYPE q = x / y, r = x % y;
  return NEGATIVE(r != 0 && (r < 0) != (y < 0)) ? (TYPE)(q - 1) : q;
}
FN TYPE remainder_TYPE(TYPE x, TYPE y) {
  if (y == 0 || NEGATIVE(y == (TYPE)-1)) return 0;
  TYPE r = x % y;
  return NEGATIVE(r != 0 && (r < 0) != (y < 0)) ? (TYPE)(r + y) : r;
}
FN TYPE pow_TYPE(TYPE x, TYPE y) {
  if (y < 0) return x == 1 ? (TYPE)1 : NEGATIVE(x == (TYPE)-1) ? (y & 1 ? (TYPE)-1 : (TYPE)1) : (TYPE)0;
  UNSIGNED r = 1, b = (UNSIGNED)x;
  for (u64 e = (u64)y; e; e >>= 1) {
    if (e & 1) r *= b;
    b *= b;
  }
  return (TYPE)r;
}
FN TYPE minimum_TYPE(TYPE x, TYPE y) { return x < y ? x : y; }
FN TYPE maximum_TYPE(TYPE x, TYPE y) { return x > y ? x : y; }
FN TYPE bitwise_and_TYPE(TYPE x, TYPE y) { return x & y; }
FN TYPE bitwise_or_TYPE(TYPE x, TYPE y) { return x | y; }
FN u8 better_min_TYPE(TYPE x, TYPE y) { return x < y; }
FN u8 better_max_TYPE(TYPE x, TYPE y) { return x > y; }
