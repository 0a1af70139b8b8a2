package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

// meteringSources are the honest programs on which the cost of the loop bounds is
// measured.
var meteringSources = map[string]map[string]string{
	"javascript": {
		"small.tsx": `export default function Stat({ title, rows }: { title: string; rows: number[] }) {
			return <div className="card" id="a"><h2>{title}</h2><ul>{rows.map(r => <li key={r}>{r}</li>)}</ul></div> }`,
		"fib.js":  `const fib = n => n < 2 ? n : fib(n - 1) + fib(n - 2); export function render() { return String(fib(18)) }`,
		"sort.js": `export function render() { const a = []; let x = 1; for (let i = 0; i < 2000; i++) a.push(x = x * 16807 % 2147483647); return a.sort((a, b) => a - b).join() }`,
		"json.js": `const v = { a: Array.from({ length: 200 }, (_, i) => ({ id: i, name: "n" + i, on: i % 2 == 0 })) };
			export function render() { return JSON.stringify(JSON.parse(JSON.stringify(v))) }`,
		"strings.js": `export function render() { let s = ""; for (let i = 0; i < 1500; i++) s += String.fromCharCode(97 + i % 26).padStart(3, "-").toUpperCase(); return s.split("-").join("+").replaceAll("A", "bb") }`,
		"regex.js":   `const text = "the quick brown fox 12 jumps over 345 lazy dogs ".repeat(40); export function render() { return text.replace(/\b([a-z]+)\s+(\d+)/g, "$2 $1").match(/[aeiou]{1,2}[^aeiou ]/g).length + "" }`,
		"math.js":    `export function render() { let x = 0; for (let i = 1; i < 20000; i++) x += Math.sqrt(i) * Math.sin(i) / i; return x.toFixed(6) }`,
		"objects.js": `export function render() { const m = new Map(), o = {}; for (let i = 0; i < 3000; i++) { const k = "k" + i % 211; m.set(k, (m.get(k) ?? 0) + i); o[k] = { i, k } } return [...m].length + Object.keys(o).length + "" }`,
		"closures.js": `class A { constructor(x) { this.x = x } get y() { return this.x * 2 } add(o) { return new A(this.x + o.y) } }
			export function render() { let a = new A(1); const b = new A(3); for (let i = 0; i < 3000; i++) a = [a].map(v => v.add(b)).filter(Boolean)[0]; return String(a.x) }`,
	},
	"python": {
		"small.py": `
def render(p):
    rows = "".join(f"<tr><td>{i}</td><td>{p['title']}</td><td>{i * 1.5:.2f}</td></tr>" for i in p["rows"])
    return f"<table>{rows}</table>"
`,
		"fib.py":     "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\ndef render(p): return str(fib(16))",
		"sort.py":    "def render(p):\n    a = []; x = 1\n    for i in range(3000):\n        x = x * 16807 % 2147483647; a.append(x)\n    return ','.join(map(str, sorted(a, key=lambda v: -v)))",
		"json.py":    "import json\nv = {'a': [{'id': i, 'name': 'n%d' % i, 'on': i % 2 == 0} for i in range(300)]}\ndef render(p): return json.dumps(json.loads(json.dumps(v)))",
		"strings.py": "def render(p): return ''.join(f'{i:>5}|{chr(97 + i % 26).upper()}' for i in range(2000)).replace('|', '--').title()",
		"regex.py":   "import re\ntext = 'the quick brown fox 12 jumps over 345 lazy dogs ' * 40\ndef render(p): return str(len(re.findall(r'[aeiou]{1,2}[^aeiou ]', re.sub(r'\\b([a-z]+)\\s+(\\d+)', r'\\2 \\1', text))))",
		"math.py":    "import math\ndef render(p):\n    x = 0.0\n    for i in range(1, 10000): x += math.sqrt(i) * math.sin(i) / i\n    return f'{x:.6f}'",
		"dicts.py":   "def render(p):\n    m = {}\n    for i in range(5000):\n        k = f'k{i % 211}'; m[k] = m.get(k, 0) + i\n    return str(sum(m.values()))",
		"classes.py": "class A:\n    def __init__(self, x): self.x = x\n    @property\n    def y(self): return self.x * 2\n    def add(self, o): return A(self.x + o.y)\ndef render(p):\n    a, b = A(1), A(3)\n    for _ in range(2000): a = [v.add(b) for v in [a]][0]\n    return str(a.x)",
		"bigint.py":  "def render(p):\n    x = 1\n    for i in range(1, 300): x *= i\n    return str(x)",
		"numbers.py": "from decimal import Decimal\ndef render(p): return str(sum(Decimal(i) / 7 for i in range(1, 800)))",
	},
}

// BenchmarkMetering measures how much slower programs are for the bounds that the
// rewriter puts into them and all that hangs on these (ticks, deadline, fuel,
// turns). Both kinds of runtime take turns, and the fastest of many rounds counts: what
// else the machine does only ever adds. In each round the first render only brings the code back
// into the caches, from which the other runtime has driven it.
//
// Where the compiler happens to put an interpreter's code is worth up to twenty percent for a single
// program, either way, so both are compiled to several places and the means of these count.
func BenchmarkMetering(b *testing.B) {
	const rounds = 30
	places := []int{0, 2, 4, 6}
	for _, rt := range []runtimes.Runtime{javascript.Runtime(), python.Runtime()} {
		b.Run(rt.Language, func(b *testing.B) {
			sources := meteringSources[rt.Language]
			for b.Loop() {
				slower := map[string]float64{} // logarithms, summed over places
				for _, place := range places {
					components := [2]map[string]*Component{{}, {}}
					for metered := range components {
						e, _, _ := benchLanguage(b, rt, metered == 1, place)
						for name := range sources {
							components[metered][name] = benchComponent(b, e, sources, name)
						}
					}
					for name := range sources {
						best := [2]time.Duration{time.Hour, time.Hour}
						for range rounds {
							for metered := range components {
								for i := range 3 {
									begin := time.Now()
									if _, err := components[metered][name].Render(context.Background(), rawJSON(benchProps), nil); err != nil {
										b.Fatal(err)
									}
									if i > 0 {
										best[metered] = min(best[metered], time.Since(begin))
									}
								}
							}
						}
						slower[name] += math.Log(float64(best[1]) / float64(best[0]))
					}
				}
				sum := 0.0
				for name, logs := range slower {
					b.ReportMetric(100*(math.Exp(logs/float64(len(places)))-1), name+"-%")
					sum += logs
				}
				b.ReportMetric(100*(math.Exp(sum/float64(len(places)*len(slower)))-1), "geomean-%")
			}
		})
	}
}

// moved returns a module whose machine code lies n steps further on: its first function, which runs once
// at most, sets the first global to what it is n times.
func moved(wasm []byte, n int) []byte {
	const codeSection, globalGet, globalSet = 10, 0x23, 0x24
	uint := func(at int) (v, next int) {
		u, size := binary.Uvarint(wasm[at:])
		return int(u), at + size
	}
	at := len("\x00asm\x01\x00\x00\x00")
	size, body := uint(at + 1)
	for wasm[at] != codeSection {
		at = body + size
		size, body = uint(at + 1)
	}
	count, first := uint(body)
	length, function := uint(first)
	locals, code := uint(function)
	if locals != 0 {
		panic("the first function has locals")
	}
	section := binary.AppendUvarint(nil, uint64(count))
	section = binary.AppendUvarint(section, uint64(length+4*n))
	section = append(section, 0)
	section = append(section, bytes.Repeat([]byte{globalGet, 0, globalSet, 0}, n)...)
	section = append(section, wasm[code:body+size]...)
	out := append(slices.Clone(wasm[:at]), codeSection)
	out = binary.AppendUvarint(out, uint64(len(section)))
	out = append(out, section...)
	return append(out, wasm[body+size:]...)
}
