"""Renders in one long-lived process.

A line of JSON is answered with a line of HTML. "hot N" renders the props that came last N times and is answered with
the nanoseconds of each render, as JSON.
"""

import json
import sys
from time import perf_counter_ns

import table

sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8")
for line in sys.stdin:
    if not line.startswith("hot "):
        props = json.loads(line)
        print(table.render(props), flush=True)
        continue
    times = []
    for _ in range(int(line[4:])):
        start = perf_counter_ns()
        table.render(props)
        times.append(perf_counter_ns() - start)
    print(json.dumps(times), flush=True)
