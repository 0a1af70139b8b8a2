import math


def render(props):
    values = [0.1 + 0.2, 1e16, 1e-5, 123456789.123456789, 5e-324, 1.7976931348623157e308, -0.0, 2.5, 3.5]
    return [values, [repr(round(v, 2)) for v in values if abs(v) < 1e17], [round(2.5), round(3.5), round(-0.5)],
            (0.1).hex(), float.fromhex("0x1.8p3"), f"{1/3:.17g} {1e6:,.3f} {0.000123:e} {0.5:%}",
            math.fsum([0.1] * 10), sum([0.1] * 10), math.nextafter(1, 2), (0.75).as_integer_ratio()]
