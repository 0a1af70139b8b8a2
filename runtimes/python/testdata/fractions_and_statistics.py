from fractions import Fraction
import statistics


def render(props):
    data = props["data"]
    return {"sum": str(sum(Fraction(1, n) for n in range(1, 11))), "near": str(Fraction(3.14159).limit_denominator(100)),
            "mean": statistics.mean(data), "median": statistics.median(data), "stdev": statistics.stdev(data),
            "quantiles": statistics.quantiles(data, n=4), "mode": statistics.multimode("aabbc"),
            "normal": statistics.NormalDist(100, 15).cdf(130), "line": list(statistics.linear_regression([1, 2, 3], [2, 4, 7]))}
