package oracle

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/sporeengine/spore/gpu/tensor"
)

func init() {
	for op, f := range map[tensor.Op]func(n *tensor.Node, out tensor.Type, in []*Tensor) *Tensor{
		tensor.Zeros: func(_ *tensor.Node, out tensor.Type, _ []*Tensor) *Tensor { return filled(out, 0) },
		tensor.Ones:  func(_ *tensor.Node, out tensor.Type, _ []*Tensor) *Tensor { return filled(out, 1) },
		tensor.Full:  full, tensor.Arange: arange, tensor.Linspace: linspace, tensor.Eye: eye,
		tensor.RandomUniform: uniform, tensor.RandomNormal: normal,
		tensor.Sum: reduce, tensor.Mean: reduce, tensor.Var: reduce, tensor.Min: reduce, tensor.Max: reduce,
		tensor.Any: reduce, tensor.All: reduce, tensor.ArgMin: reduce, tensor.ArgMax: reduce,
		tensor.CumulativeSum: cumulativeSum, tensor.Softmax: softmax, tensor.LayerNorm: layerNorm,
		tensor.Reshape: reshape, tensor.ExpandDims: reshape, tensor.Squeeze: reshape,
		tensor.PermuteDims: permuteDims, tensor.BroadcastTo: broadcastTo, tensor.Concat: concat,
		tensor.Slice: slice, tensor.MatMul: matmul,
	} {
		operations[op] = func(n *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
			return []*Tensor{f(n, out[0], in)}, nil
		}
	}
	operations[tensor.Take] = take
	operations[tensor.TopK] = order
	operations[tensor.Sort] = order
}

func filled(t tensor.Type, v int64) *Tensor {
	x := New(t)
	for i := range x.Floats {
		x.Floats[i] = float64(v)
	}
	for i := range x.Ints {
		x.Ints[i] = v
	}
	return x
}

func full(n *tensor.Node, out tensor.Type, _ []*Tensor) *Tensor {
	x := filled(out, int64(n.Bits("value")))
	for i := range x.Floats {
		x.Floats[i] = n.Float("value")
	}
	return x
}

func arange(n *tensor.Node, out tensor.Type, _ []*Tensor) *Tensor {
	x := New(out)
	for i := range x.Floats {
		product := float64(i) * n.Float("step")
		x.Floats[i] = n.Float("start") + product
	}
	for i := range x.Ints {
		x.Ints[i] = int64(n.Bits("start")) + int64(i)*int64(n.Bits("step"))
	}
	return x
}

func linspace(n *tensor.Node, out tensor.Type, _ []*Tensor) *Tensor {
	x := New(out)
	count := len(x.Floats)
	start, stop := n.Float("start"), n.Float("stop")
	for i := range x.Floats {
		switch {
		case i == 0:
			x.Floats[i] = start
		case !n.Bool("endpoint"):
			x.Floats[i] = start + float64(float64(i)*((stop-start)/float64(count)))
		case i == count-1:
			x.Floats[i] = stop
		default:
			x.Floats[i] = start + float64(float64(i)*((stop-start)/float64(count-1)))
		}
	}
	return x
}

func eye(n *tensor.Node, out tensor.Type, _ []*Tensor) *Tensor {
	x, one := New(out), filled(out, 1)
	for i := range int(x.Size()) {
		if at := index(x.Shape, i); at[1]-at[0] == n.Int("k") {
			x.set(i, one, i)
		}
	}
	return x
}

// words are the 128 bits of Philox4x32-10 for a counter and a seed.
func words(seed, counter uint64) [4]uint64 {
	const mask = 1<<32 - 1
	key := [2]uint64{seed & mask, seed >> 32}
	c := [4]uint64{counter & mask, counter >> 32}
	for round := range uint64(10) {
		k0 := (key[0] + round*0x9E3779B9) & mask
		k1 := (key[1] + round*0xBB67AE85) & mask
		p0, p1 := c[0]*0xD2511F53, c[2]*0xCD9E8D57
		c = [4]uint64{p1>>32 ^ c[1] ^ k0, p1 & mask, p0>>32 ^ c[3] ^ k1, p0 & mask}
	}
	return c
}

// uniform64 is number i of those of 53 bits.
func uniform64(seed uint64, i int) float64 {
	w := words(seed, uint64(i/2))
	low, high := w[i%2*2], w[i%2*2+1]
	return math.Ldexp(float64((high<<32|low)>>11), -53)
}

func uniform(n *tensor.Node, out tensor.Type, _ []*Tensor) *Tensor {
	x := New(out)
	bits := map[tensor.DType]int{tensor.Float16: 11, tensor.BFloat16: 8, tensor.Float32: 24}[out.DType]
	for i := range x.Floats {
		if out.DType == tensor.Float64 {
			x.Floats[i] = uniform64(n.Bits("seed"), i)
		} else {
			x.Floats[i] = math.Ldexp(float64(words(n.Bits("seed"), uint64(i/4))[i%4]>>(32-bits)), -bits)
		}
	}
	return x
}

func normal(n *tensor.Node, out tensor.Type, _ []*Tensor) *Tensor {
	x := New(out)
	for i := range x.Floats {
		u, v := uniform64(n.Bits("seed"), i/2*2), uniform64(n.Bits("seed"), i/2*2+1)
		f := math.Cos
		if i%2 == 1 {
			f = math.Sin
		}
		x.Floats[i] = math.Sqrt(-2*math.Log(1-u)) * f(2*math.Pi*v)
	}
	return x
}

// line is the elements along some axes that belong to one result.
type line struct {
	fs []float64
	is []int64
}

// lines collects, for each element of the result of a reduction over axes, the
// elements of x that belong to it, in row-major order.
func lines(x *Tensor, axes []int) []line {
	kept := tensor.Shape{}
	for d, n := range x.Shape {
		if !slices.Contains(axes, d) {
			kept = append(kept, n)
		}
	}
	out := make([]line, kept.Size())
	for i := range int(x.Size()) {
		var at []int
		for d, j := range index(x.Shape, i) {
			if !slices.Contains(axes, d) {
				at = append(at, j)
			}
		}
		l := &out[position(kept, at)]
		if x.Floats != nil {
			l.fs = append(l.fs, x.Floats[i])
		} else {
			l.is = append(l.is, x.Ints[i])
		}
	}
	return out
}

func reduce(n *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	var axes []int
	if n.Op == tensor.ArgMin || n.Op == tensor.ArgMax {
		axes = []int{n.Int("axis")}
	} else {
		axes = n.Ints("axes")
	}
	for i, l := range lines(in[0], axes) {
		switch n.Op {
		case tensor.Sum, tensor.Mean, tensor.Var:
			if x.Floats == nil {
				for _, v := range l.is {
					x.Ints[i] += v
				}
				continue
			}
			sum, count := 0.0, float64(len(l.fs))
			for _, f := range l.fs {
				sum += f
			}
			switch n.Op {
			case tensor.Sum:
				x.Floats[i] = sum
			case tensor.Mean:
				x.Floats[i] = sum / count
			case tensor.Var:
				squares := 0.0
				for _, f := range l.fs {
					squares += (f - sum/count) * (f - sum/count)
				}
				x.Floats[i] = math.NaN()
				if d := count - n.Float("correction"); d > 0 {
					x.Floats[i] = squares / d
				}
			}
		case tensor.Any, tensor.All:
			all, some := true, false
			for _, f := range l.fs {
				all, some = all && f != 0, some || f != 0
			}
			for _, v := range l.is {
				all, some = all && v != 0, some || v != 0
			}
			x.Ints[i] = truth(n.Op == tensor.All && all || n.Op == tensor.Any && some)
		default:
			largest := n.Op == tensor.Max || n.Op == tensor.ArgMax
			best := 0
			for j := range max(len(l.fs), len(l.is)) {
				if l.beats(j, best, largest) {
					best = j
				}
			}
			switch {
			case n.Op == tensor.ArgMin || n.Op == tensor.ArgMax:
				x.Ints[i] = int64(best)
			case x.Floats == nil:
				x.Ints[i] = l.is[best]
			default:
				x.Floats[i] = l.fs[best]
				for _, f := range l.fs { // -0 is before 0
					if f == 0 && l.fs[best] == 0 && math.Signbit(f) != largest {
						x.Floats[i] = f
					}
				}
			}
		}
	}
	return x
}

// beats tells whether element j is better than the one that is the best up to now.
func (l *line) beats(j, best int, largest bool) bool {
	if l.is != nil {
		return largest && l.is[j] > l.is[best] || !largest && l.is[j] < l.is[best]
	}
	a, b := l.fs[j], l.fs[best]
	if b != b {
		return false
	}
	return a != a || largest && a > b || !largest && a < b
}

// along calls f with the positions of the elements of each line along an axis.
func along(s tensor.Shape, axis int, f func(at []int)) {
	for i := range int(s.Size()) {
		start := index(s, i)
		if start[axis] != 0 {
			continue
		}
		at := make([]int, s[axis])
		for j := range at {
			start[axis] = j
			p := 0
			for d, n := range s {
				p = p*n + start[d]
			}
			at[j] = p
		}
		f(at)
	}
}

func cumulativeSum(n *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	along(out.Shape, n.Int("axis"), func(at []int) {
		f, v := 0.0, int64(0)
		for _, i := range at {
			if x.Floats != nil {
				f += in[0].Floats[i]
				x.Floats[i] = f
			} else {
				v += in[0].Ints[i]
				x.Ints[i] = v
			}
		}
	})
	return x
}

func softmax(n *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	along(out.Shape, n.Int("axis"), func(at []int) {
		m, sum := math.Inf(-1), 0.0
		for _, i := range at {
			m = math.Max(m, in[0].Floats[i])
		}
		for _, i := range at {
			sum += math.Exp(in[0].Floats[i] - m)
		}
		for _, i := range at {
			x.Floats[i] = math.Exp(in[0].Floats[i]-m) / sum
		}
	})
	return x
}

func layerNorm(n *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	along(out.Shape, n.Int("axis"), func(at []int) {
		mean, variance := 0.0, 0.0
		for _, i := range at {
			mean += in[0].Floats[i] / float64(len(at))
		}
		for _, i := range at {
			variance += (in[0].Floats[i] - mean) * (in[0].Floats[i] - mean) / float64(len(at))
		}
		for _, i := range at {
			x.Floats[i] = (in[0].Floats[i] - mean) / math.Sqrt(variance+n.Float("eps"))
		}
	})
	return x
}

func reshape(_ *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	return &Tensor{out, in[0].Floats, in[0].Ints}
}

func permuteDims(n *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	for i := range int(x.Size()) {
		from := make([]int, len(out.Shape))
		for d, j := range index(out.Shape, i) {
			from[n.Ints("axes")[d]] = j
		}
		x.set(i, in[0], position(in[0].Shape, from))
	}
	return x
}

func broadcastTo(_ *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	for i := range int(x.Size()) {
		x.set(i, in[0], position(in[0].Shape, index(out.Shape, i)))
	}
	return x
}

func concat(n *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	axis := n.Int("axis")
	for i := range int(x.Size()) {
		at := index(out.Shape, i)
		from := 0
		for at[axis] >= in[from].Shape[axis] {
			at[axis] -= in[from].Shape[axis]
			from++
		}
		x.set(i, in[from], position(in[from].Shape, at))
	}
	return x
}

func slice(n *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	for i := range int(x.Size()) {
		at := index(out.Shape, i)
		for d := range at {
			at[d] = n.Ints("start")[d] + at[d]*n.Ints("step")[d]
		}
		x.set(i, in[0], position(in[0].Shape, at))
	}
	return x
}

func take(n *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
	x := New(out[0])
	axis := n.Int("axis")
	length, rank := int64(in[0].Shape[axis]), len(in[1].Shape)
	for _, j := range in[1].Ints {
		if j < -length || j >= length {
			return nil, fmt.Errorf("index %d of %d", j, length)
		}
	}
	for i := range int(x.Size()) {
		at := index(x.Shape, i)
		j := in[1].Ints[position(in[1].Shape, at[axis:axis+rank])]
		if j < 0 {
			j += length
		}
		x.set(i, in[0], position(in[0].Shape, slices.Concat(at[:axis], []int{int(j)}, at[axis+rank:])))
	}
	return []*Tensor{x}, nil
}

func matmul(_ *tensor.Node, out tensor.Type, in []*Tensor) *Tensor {
	x := New(out)
	a, b := in[0], in[1]
	as, bs, s := a.Shape, b.Shape, out.Shape
	if len(as) == 1 { // a row, and the result gets it back
		as = tensor.Shape{1, as[0]}
		s = slices.Insert(slices.Clone(s), max(0, len(s)-min(1, len(bs)-1)), 1)
	}
	if len(bs) == 1 {
		bs = tensor.Shape{bs[0], 1}
		s = append(slices.Clone(s), 1)
	}
	for i := range int(x.Size()) {
		at := index(s, i)
		batch, row, col := at[:len(at)-2], at[len(at)-2], at[len(at)-1]
		var f float64
		var v int64
		for k := range as[len(as)-1] {
			p := position(as, slices.Concat(batch, []int{row, k}))
			q := position(bs, slices.Concat(batch, []int{k, col}))
			if x.Floats != nil {
				f += a.Floats[p] * b.Floats[q]
			} else {
				v += a.Ints[p] * b.Ints[q]
			}
		}
		if x.Floats != nil {
			x.Floats[i] = f
		} else {
			x.Ints[i] = v
		}
	}
	return x
}

func order(n *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
	values, indices := New(out[0]), New(out[1])
	axis := n.Int("axis")
	var down bool
	if n.Op == tensor.TopK {
		down = n.Bool("largest")
	} else {
		down = n.Bool("descending")
	}
	var from, to [][]int
	along(in[0].Shape, axis, func(at []int) { from = append(from, at) })
	along(out[0].Shape, axis, func(at []int) { to = append(to, at) })
	for l := range to {
		src := from[l]
		list := make([]int, len(src))
		for i := range list {
			list[i] = i
		}
		sort.SliceStable(list, func(i, j int) bool {
			a, b := src[list[i]], src[list[j]]
			if down {
				a, b = b, a
			}
			if in[0].Floats == nil {
				return in[0].Ints[a] < in[0].Ints[b]
			}
			x, y := in[0].Floats[a], in[0].Floats[b]
			return x < y || y != y && x == x
		})
		for i, p := range to[l] {
			values.set(p, in[0], src[list[i]])
			indices.Ints[p] = int64(list[i])
		}
	}
	return []*Tensor{values, indices}, nil
}
