
// Operations on TYPE, whose functions of the C library end in SUF.
FN TYPE abs_TYPE(TYPE x) { return fabsSUF(x); }
FN TYPE negative_TYPE(TYPE x) { return -x; }
FN TYPE sign_TYPE(TYPE x) { return x > 0 ? (TYPE)1 : x < 0 ? (TYPE)-1 : x == 0 ? (TYPE)0 : x; }
FN TYPE sqrt_TYPE(TYPE x) { return sqrtSUF(x); }
FN TYPE rsqrt_TYPE(TYPE x) { return (TYPE)1 / sqrtSUF(x); }
FN TYPE exp_TYPE(TYPE x) { return expSUF(x); }
FN TYPE log_TYPE(TYPE x) { return logSUF(x); }
FN TYPE log1p_TYPE(TYPE x) { return log1pSUF(x); }
FN TYPE expm1_TYPE(TYPE x) { return expm1SUF(x); }
FN TYPE sin_TYPE(TYPE x) { return sinSUF(x); }
FN TYPE cos_TYPE(TYPE x) { return cosSUF(x); }
FN TYPE tanh_TYPE(TYPE x) { return tanhSUF(x); }
FN TYPE erf_TYPE(TYPE x) { return erfSUF(x); }
FN TYPE floor_TYPE(TYPE x) { return floorSUF(x); }
FN TYPE ceil_TYPE(TYPE x) { return ceilSUF(x); }
FN TYPE round_TYPE(TYPE x) { return rintSUF(x); }
FN u8 isnan_TYPE(TYPE x) { return x != x; }
FN TYPE add_TYPE(TYPE x, TYPE y) { return x + y; }
FN TYPE subtract_TYPE(TYPE x, TYPE y) { return x - y; }
FN TYPE multiply_TYPE(TYPE x, TYPE y) { return x * y; }
FN TYPE divide_TYPE(TYPE x, TYPE y) { return x / y; }
FN TYPE pow_TYPE(TYPE x, TYPE y) { return powSUF(x, y); }
// Of equal numbers only zeros differ: by their sign.
FN TYPE minimum_TYPE(TYPE x, TYPE y) { return x != x || y != y ? x + y : x < y ? x : y < x ? y : x == 0 ? -(-x + -y) : x; }
FN TYPE maximum_TYPE(TYPE x, TYPE y) { return x != x || y != y ? x + y : x > y ? x : y > x ? y : x == 0 ? x + y : x; }
FN u8 better_min_TYPE(TYPE x, TYPE y) { return x < y || (x != x && y == y); }
FN u8 better_max_TYPE(TYPE x, TYPE y) { return x > y || (x != x && y == y); }
