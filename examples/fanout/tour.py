"""A round trip through all places, as short as can be found."""

from math import dist, exp
from random import Random


def load(p):
    """What all variants share: the places, the distances between them, a first tour."""
    global places, distance, tour
    rng = Random(p["seed"])
    towns = [(rng.uniform(15, 85), rng.uniform(15, 85)) for _ in range(9)]
    places = [tuple(min(98, max(2, rng.gauss(c, 9))) for c in rng.choice(towns)) for _ in range(p["places"])]
    distance = [[dist(a, b) for b in places] for a in places]
    tour, left = [0], set(range(1, len(places)))
    while left:  # always to the nearest place
        tour.append(min(left, key=lambda n: (distance[tour[-1]][n], n)))
        left.remove(tour[-1])
    return shown()


def improve(p):
    """Simulated annealing: turns a part of the tour round if that makes it shorter, and sometimes
    if not. See Kirkpatrick, Gelatt and Vecchi, Optimization by Simulated Annealing, 1983."""
    rng, n = Random(p["seed"]), len(tour)
    for step in range(p["steps"]):
        heat = p["heat"] * (1 - step / p["steps"]) + 1e-9
        i, j = sorted((rng.randrange(n), rng.randrange(n)))
        a, b, c, d = tour[i - 1], tour[i], tour[j], tour[(j + 1) % n]
        if a == c or b == d:
            continue
        longer = distance[a][c] + distance[b][d] - distance[a][b] - distance[c][d]
        if longer < 0 or rng.random() < exp(-longer / heat):
            tour[i : j + 1] = tour[i : j + 1][::-1]
    return shown()


def shown():
    length = sum(distance[a][b] for a, b in zip(tour, tour[1:] + tour[:1]))
    path = "M" + "L".join(f"{places[n][0]:.1f} {places[n][1]:.1f}" for n in tour) + "Z"
    return {"length": round(length, 1), "path": path}
