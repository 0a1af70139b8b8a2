import math


def render(props):
    n = math.factorial(200)
    return {"digits": len(str(n)), "mod": n % (10**9 + 7 + 200), "root": str(math.isqrt(n))[:30],
            "power": pow(3, 10**6, 998244353), "inverse": pow(3, -1, 7),
            "bits": (1 << 100).bit_length(), "bytes": (2**70).to_bytes(9).hex(), "hex": f"{2**80 - 1:#_x}"}
