import cmath
import math


def render(props):
    z = complex(3, 4)
    return {"ints": [math.gcd(48, 36), math.lcm(4, 6), math.comb(10, 3), math.perm(5, 2), math.isqrt(99)],
            "floats": [math.hypot(3, 4), math.dist((0, 0), (1, 1)), math.log2(1024), math.floor(-1.5), math.trunc(-1.5), round(math.cbrt(27.0), 9)],
            "close": math.isclose(math.sin(math.pi), 0, abs_tol=1e-9), "prod": math.prod([1.5, 2]), "sumprod": math.sumprod([1, 2], [3, 4]),
            "complex": [abs(z), str(z * z.conjugate()), f"{cmath.phase(z):.12f}", str(cmath.sqrt(-4))], "divmod": [divmod(-7, 3), -7 // 2, math.fmod(-7, 3), -7 % 3]}
