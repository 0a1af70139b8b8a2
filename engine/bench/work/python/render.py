"""One render in a fresh process: props on standard input, HTML on standard output."""

import json
import sys

import table

sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8")
sys.stdout.write(table.render(json.load(sys.stdin)))
