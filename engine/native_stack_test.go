package engine_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
)

// recursions are ways to recurse until JavaScript's stack is exhausted.
var recursions = map[string]string{
	"plain":       `function f() { f() }`,
	"catch":       `function f() { try { f() } catch (e) { throw e } finally { } }`,
	"new":         `function f() { new f() }`,
	"constructor": `class B {} class A extends B { constructor() { super(); new A() } } const f = () => new A()`,
	"spread":      `function f(...a) { f(...a) }`,
	"bind":        `let g; function f() { g() } g = f.bind(null)`,
	"call":        `function f() { f.call(null) }`,
	"apply":       `function f() { Reflect.apply(f, null, []) }`,
	"map":         `function f() { [1].map(f) }`,
	"sort":        `function f() { [1, 2].sort(f) }`,
	"replace":     `function f() { "a".replace(/a/, f) }`,
	"getter":      `const o = { get x() { return o.x } }; const f = () => o.x`,
	"proxy":       `const o = new Proxy({}, { get() { return o.x } }); const f = () => o.x`,
	"toString":    `const o = { toString() { return "" + o } }; const f = () => "" + o`,
	"toJSON":      `const o = { toJSON() { return JSON.stringify(o) } }; const f = () => JSON.stringify(o)`,
	"instanceof":  `const C = { [Symbol.hasInstance]() { return 1 instanceof C } }; const f = () => 1 instanceof C`,
	"iterator":    `const o = { [Symbol.iterator]() { return [...o] } }; const f = () => [...o]`,
	"generator":   `function* g() { yield* g() } const f = () => [...g()]`,
	"eval":        `function f() { (0, eval)("1"); f() }`,
	"nested":      `let o = []; for (let i = 0; i < 20000; i++) o = [o]; const f = () => String(o)`,
}

// TestNativeStack: wazero doubles the native stack of a guest that needs more, on Go's heap, and copies it without a
// break. The stack of the JavaScript interpreter is of a size with which no recursion takes it beyond 20 MiB, which
// makes 40 MiB with the smaller ones before it.
func TestNativeStack(t *testing.T) {
	const most = 40 << 20
	e := newEngine(t, engine.Config{Workers: 1, Limits: engine.Limits{CallTime: time.Minute}})
	largest := uint64(0)
	for name, code := range recursions {
		t.Run(name, func(t *testing.T) {
			c := compile(t, e, "a.js", code+`; export const render = p => { if (p.deep) f(); return "shallow" }`)
			require.Equal(t, "shallow", render(t, c, props{}, nil)) // what a first call allocates is allocated
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := c.Render(t.Context(), props{"deep": true}, nil)
			runtime.ReadMemStats(&after)
			var g *engine.GuestError
			require.ErrorAs(t, err, &g)
			require.Equal(t, "RangeError", g.Name, "%v", err)
			allocated := after.TotalAlloc - before.TotalAlloc
			require.Less(t, allocated, uint64(most))
			largest = max(largest, allocated)
		})
	}
	require.Greater(t, largest, uint64(most/2), "the test sees no stack at all")
}
