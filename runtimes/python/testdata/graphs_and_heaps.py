import bisect
import graphlib
import heapq


def shortest(graph, start):
    best, queue = {start: 0}, [(0, start)]
    while queue:
        d, node = heapq.heappop(queue)
        for to, cost in graph.get(node, {}).items():
            if d + cost < best.get(to, float("inf")):
                best[to] = d + cost
                heapq.heappush(queue, (d + cost, to))
    return best


def render(props):
    try:
        list(graphlib.TopologicalSorter({"a": "b", "b": "a"}).static_order())
    except graphlib.CycleError as e:
        cycle = len(e.args[1])
    scores = [10, 20, 20, 30]
    bisect.insort(scores, 25)
    return [shortest(props["graph"], "a"), list(graphlib.TopologicalSorter({"d": ["b", "c"], "b": ["a"], "c": ["b"]}).static_order()),
            cycle, scores, bisect.bisect_left(scores, 20), heapq.nlargest(2, scores), list(heapq.merge([1, 4], [2, 3]))]
