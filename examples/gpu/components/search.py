"""The texts that are most like a query.

Their vectors are a constant of the device that the host shares with all components; here is only its name.
"""

import math
import re
from array import array
from html import escape

import gpu
import spore


def fnv(text):
    """The hash FNV-1a of 32 bits."""
    h = 0x811C9DC5
    for c in text.encode():
        h = (h ^ c) * 0x01000193 & 0xFFFFFFFF
    return h


def embed(text, size):
    """Counts words, and groups of three letters, into a vector of length 1. The host does the same with its texts."""
    v = [0.0] * size

    def count(feature, weight):
        h = fnv(feature)
        v[h % size] += -weight if h >> 31 else weight

    for word in re.findall("[a-z0-9]+", text.lower()):
        count(word, 1)
        marked = f"^{word}$"
        for i in range(len(marked) - 2):
            count(marked[i : i + 3], 0.5)
    length = math.hypot(*v) or 1
    return array("f", (x / length for x in v))


def render(p):
    vectors = gpu.constant(digest=p["digest"], dtype="float32", shape=(p["count"], p["size"]))
    scores, indices = gpu.topk(vectors @ gpu.asarray(embed(p["query"], p["size"])), p["most"])
    gpu.evaluate(scores, indices)  # one call for both
    texts = spore.call_sync("corpus.texts", {"indices": indices.tolist()})["texts"]
    rows = (
        f'<li>{escape(text)} <meter max="1" value="{max(score, 0):.3f}" aria-label="likeness"></meter> <span>{score:.3f}</span></li>'
        for text, score in zip(texts, scores.tolist())
    )
    return f'<ol class="results">{"".join(rows)}</ol>'
