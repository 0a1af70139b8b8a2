import random

rng = random.Random(42)


def render(props):
    random.seed("text")
    deck = list(range(10))
    rng.shuffle(deck)
    return [deck, rng.random(), rng.gauss(0, 1), rng.gauss(0, 1), rng.sample(range(100), 5), rng.choices("abc", [1, 2, 3], k=6),
            random.randint(1, 10**20), random.uniform(1, 2), random.getrandbits(70), random.randbytes(4).hex(), random.betavariate(2, 3), random.Random(b"x").triangular()]
