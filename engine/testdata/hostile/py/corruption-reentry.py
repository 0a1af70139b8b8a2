# Containers in C whose comparisons and callbacks change them.
# class: corruption
# expect: text survived

import collections, functools, heapq, itertools, json


class Evil:
    def __init__(self, f): self.f = f
    def __eq__(self, other):
        self.f()
        return False
    def __lt__(self, other):
        self.f()
        return True
    def __hash__(self): return 1


def attack():
    for make in (list, collections.deque):
        c = make()
        c.extend(Evil(c.clear) for _ in range(10))
        for use in (lambda: c.remove(1), lambda: c.index(1), lambda: c.count(1), lambda: 1 in c):
            c.extend(Evil(c.clear) for _ in range(10))
            try: use()
            except (ValueError, RuntimeError, IndexError): pass
    heap = []
    heap.extend(Evil(heap.clear) for _ in range(10))
    for use in (heapq.heapify, heapq.heappop, heapq._heapify_max):
        try: use(heap)
        except (IndexError, RuntimeError): pass
        heap.extend(Evil(heap.clear) for _ in range(10))
    od = collections.OrderedDict()
    for i in range(10):
        try: od[Evil(od.clear)] = i
        except (KeyError, RuntimeError): pass
    a, b = itertools.tee(iter(lambda: next(b), 1))
    try: next(a)
    except (RuntimeError, RecursionError): pass
    cached = functools.lru_cache(2)(lambda x: cached.cache_clear())
    for i in range(100): cached(Evil(cached.cache_clear))
    return "survived"


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
