package guest_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/internal/guestapi"
	"github.com/sporeengine/spore/gpu/tensor"
)

// A guesser makes random cases from the table of functions. Their arguments fit often.
type guesser struct {
	*rand.Rand
	dtype string   // that most arrays of a case have
	names []string // of arrays
	steps []any
}

func pick[T any](g *guesser, list ...T) T { return list[g.IntN(len(list))] }

func (g *guesser) shape(rank int) []int {
	s := make([]int, rank)
	for i := range s {
		s[i] = pick(g, 0, 1, 1, 2, 2, 2, 3)
	}
	return s
}

func (g *guesser) dtypeName() string {
	all := tensor.DTypes()
	return all[g.IntN(len(all))].String()
}

// data adds an array with random contents.
func (g *guesser) data(function string, rank int) string {
	d := g.dtype
	if g.IntN(6) == 0 {
		d = g.dtypeName()
	}
	all := tensor.DTypes()
	typ := tensor.Type{Shape: g.shape(rank), DType: all[slices.IndexFunc(all, func(x tensor.DType) bool { return x.String() == d })]}
	x := oracle.New(typ)
	for i := range x.Floats {
		x.Floats[i] = float64(g.IntN(17)-8) / 4
	}
	for i := range x.Ints {
		x.Ints[i] = int64(g.IntN(4))
		if typ.DType == tensor.Bool {
			x.Ints[i] %= 2
		}
	}
	return g.step(function, []any{map[string]string{"raw": hex.EncodeToString(x.Encode())}}, map[string]any{"dtype": d, "shape": typ.Shape})
}

// step adds a step with one result, or two.
func (g *guesser) step(function string, args []any, options map[string]any) string {
	name := fmt.Sprint("a", len(g.names))
	g.names = append(g.names, name)
	g.steps = append(g.steps, []any{name, function, args, options})
	return "$" + name
}

func (g *guesser) axis(rank int) int { return g.IntN(2*rank+3) - rank - 1 }

// value returns an argument. plain says that it may be a plain value, which the languages guess the type of differently if nothing is beside it.
func (g *guesser) value(p guestapi.Param, rank int, plain bool) any {
	switch p.Kind {
	case guestapi.Any, guestapi.Data:
		n := g.IntN(8)
		if !plain {
			n += 2
		}
		switch n {
		case 0:
			return pick[any](g, 0, 1, 2, -1, 0.5, true)
		case 1:
			return pick[any](g, []any{1, 0}, []any{[]any{1}, []any{0}}, []any{true}, []any{}, []any{[]any{1}, []any{}})
		case 2:
			return g.data("asarray", g.IntN(4))
		}
		return g.data("asarray", rank)
	case guestapi.Several:
		return []any{g.data("asarray", rank), g.data("asarray", rank)}
	case guestapi.Number:
		return pick[any](g, 0, 1, 3, -2, 0.5)
	case guestapi.Shape:
		return pick[any](g, g.shape(g.IntN(4)), g.shape(rank), []int{-1}, []int{2, -1}, 4)
	case guestapi.Axis:
		return g.axis(rank)
	case guestapi.Axes:
		return pick[any](g, g.axis(rank), []int{g.axis(rank)}, []int{g.axis(rank), g.axis(rank)}, []int{1, 0}, []int{2, 0, 1}, []int{})
	case guestapi.Index:
		index := []any{}
		for range g.IntN(4) {
			bound := func() any { return pick[any](g, nil, -4, -1, 0, 1, 2, 9) }
			index = append(index, pick[any](g, nil, "...", 0, 1, -1, []any{bound(), bound()}, []any{bound(), bound(), pick(g, 1, 2, -1, -2, 0)}))
		}
		return index
	case guestapi.Int:
		return g.IntN(5) - 1
	case guestapi.Float:
		return pick(g, 0, 0.5, 1, 3)
	case guestapi.Bool:
		return pick(g, true, false)
	case guestapi.Seed:
		return g.IntN(1000)
	}
	return g.dtypeName()
}

// guess returns a case with a call of f, and of another function with what it returned.
func (g *guesser) guess(f guestapi.Func) testCase {
	g.names, g.steps, g.dtype = nil, nil, g.dtypeName()
	rank := g.IntN(4)
	args, options := []any{}, map[string]any{}
	for i, p := range f.Params {
		if p.Default != "" && g.IntN(2) == 0 {
			break
		}
		args = append(args, g.value(p, rank, i > 0 && (f.Name != "where" || i > 1)))
	}
	for _, p := range f.Options {
		if p.Kind == guestapi.DType && f.Creates {
			options[p.Name] = g.dtype // the languages guess differently
		} else if p.Name == "shape" && g.IntN(3) > 0 || g.IntN(2) == 0 {
			options[p.Name] = g.value(p, rank, false)
		}
	}
	r := g.step(f.Name, args, options)
	if f.Returns == guestapi.Both {
		g.steps[len(g.steps)-1].([]any)[0] = []string{r[1:], "second"}
		g.names = append(g.names, "second")
	} else if g.IntN(2) == 0 {
		g.step("add", []any{r, pick[any](g, r, 1)}, map[string]any{})
	}
	steps, err := json.Marshal(g.steps)
	if err != nil {
		panic(err)
	}
	return testCase{Name: f.Name, Steps: steps, Out: slices.Clone(g.names)}
}

// TestTwins has the languages agree about random calls of all functions: what comes out byte by byte, or what is wrong.
func TestTwins(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	js, py := w.runner(t, runners[0]), w.runner(t, runners[1])
	rounds := 30
	if n, err := strconv.Atoi(os.Getenv("GUEST_ROUNDS")); err == nil {
		rounds = n
	}
	refused, fine := 0, map[string]int{}
	for round := range rounds {
		g := &guesser{Rand: rand.New(rand.NewPCG(1, uint64(round)))}
		var cases []testCase
		for _, f := range guestapi.Funcs() {
			cases = append(cases, g.guess(f), g.guess(f))
		}
		a, b := w.run(t, js, cases), w.run(t, py, cases)
		for _, r := range b {
			if r.Error != nil {
				r.Error.Text = strings.NewReplacer("True", "true", "False", "false", "None", "null").Replace(r.Error.Text)
			}
		}
		for i, c := range cases {
			if !reflect.DeepEqual(a[i], b[i]) {
				t.Errorf("round %d: %s %s\nJavaScript: %+v %+v\nPython:     %+v %+v", round, c.Name, c.Steps, a[i].Out, a[i].Error, b[i].Out, b[i].Error)
			}
			if a[i].Error != nil {
				refused++
			} else {
				fine[c.Name]++
			}
		}
	}
	require.Len(t, fine, len(guestapi.Funcs()), "functions of which no call was fine")
	t.Logf("%d calls of %d were refused", refused, rounds*2*len(guestapi.Funcs()))
}
