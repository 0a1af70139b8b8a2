package cpu

import (
	"math"

	"github.com/sporeengine/spore/gpu/tensor"
)

// repeated makes a value of which all elements are one that store writes.
func (e *exec) repeated(n *tensor.Node, store func(one vec)) {
	t := e.p.Type(n.Out)
	one := e.arena.make(tensor.Type{DType: t.DType})
	var wide [1]int64
	w := of(wide[:])
	store(w)
	p := placeOf(one)
	raw := of(make([]int64, 1))
	p.write(w, raw, 0)
	one.shape, one.strides = t.Shape, make([]int, len(t.Shape))
	e.values[n.Out] = one
}

func constant(x int64) operation {
	return func(e *exec, n *tensor.Node) error {
		e.repeated(n, func(one vec) { setInt(one, n.DType, x) })
		return nil
	}
}

func full(e *exec, n *tensor.Node) error {
	e.repeated(n, func(one vec) {
		if n.DType.IsFloat() {
			setFloat(one, n.DType, n.Float("value"))
		} else {
			setInt(one, n.DType, int64(n.Bits("value")))
		}
	})
	return nil
}

// setInt and setFloat set elements that are computed as those of d.
func setInt(dst vec, d tensor.DType, x int64) {
	convert(dst, tensor.Int64, d, of([]int64{x}))
}

func setFloat(dst vec, d tensor.DType, x float64) {
	convert(dst, tensor.Float64, d, of([]float64{x}))
}

// convert converts computed elements.
func convert(dst vec, from, to tensor.DType, src vec) {
	dst.n = src.n
	k := caster(from, to)
	if k == nil {
		k = copyClass(classOf(to))
	}
	k(dst, src, vec{}, vec{})
}

// generate makes a value of elements that fill computes as elements of d: for each
// block those from at on.
func (e *exec) generate(n *tensor.Node, d tensor.DType, fill func(dst vec, at int)) error {
	out := placeOf(e.result(n.Out))
	size := int(e.p.Type(n.Out).Size())
	return spans(e.ctx, e.procs, size, grain, func(start, end int) {
		memory := make([]int64, 3*block)
		a, b, raw := of(memory[:block]), of(memory[block:2*block]), of(memory[2*block:])
		for at := start; at < end; at += block {
			a.n = min(block, end-at)
			fill(a, at)
			convert(b, d, n.DType, a)
			b.n = a.n
			out.write(b, raw, at)
		}
	})
}

func arange(e *exec, n *tensor.Node) error {
	if n.DType.IsFloat() {
		start, step := n.Float("start"), n.Float("step")
		return e.generate(n, tensor.Float64, func(dst vec, at int) {
			for i, d := 0, as[float64](dst); i < len(d); i++ {
				d[i] = start + float64(float64(at+i)*step)
			}
		})
	}
	start, step := int64(n.Bits("start")), int64(n.Bits("step"))
	return e.generate(n, tensor.Int64, func(dst vec, at int) {
		for i, d := 0, as[int64](dst); i < len(d); i++ {
			d[i] = start + int64(at+i)*step
		}
	})
}

func linspace(e *exec, n *tensor.Node) error {
	start, stop, count := n.Float("start"), n.Float("stop"), n.Int("n")
	end := n.Bool("endpoint")
	parts := count
	if end {
		parts--
	}
	step := (stop - start) / float64(max(parts, 1))
	return e.generate(n, tensor.Float64, func(dst vec, at int) {
		d := as[float64](dst)
		for i := range d {
			d[i] = start + float64(float64(at+i)*step)
		}
		if last := count - 1 - at; end && count > 1 && last < len(d) {
			d[last] = stop
		}
	})
}

func eye(e *exec, n *tensor.Node) error {
	cols, k := n.Int("cols"), n.Int("k")
	return e.generate(n, tensor.Bool, func(dst vec, at int) {
		d := as[uint8](dst)
		row, col := at/cols, at%cols
		for i := range d {
			d[i] = truth(col-row == k)
			if col++; col == cols {
				row, col = row+1, 0
			}
		}
	})
}

// random makes uniform and normal numbers, in float64 for float64 and normal ones,
// else in float32.
func random(e *exec, n *tensor.Node) error {
	seed := n.Bits("seed")
	if n.Op == tensor.RandomNormal {
		return e.generate(n, tensor.Float64, func(dst vec, at int) {
			// Blocks begin at even elements, so pairs are not torn.
			d := as[float64](dst)
			for i := 0; i < len(d); i += 2 {
				u, v := uniformPair(seed, uint64(at+i)/2)
				r := math.Sqrt(-2 * math.Log(1-u))
				sin, cos := math.Sincos(2 * math.Pi * v)
				d[i] = r * cos
				if i+1 < len(d) {
					d[i+1] = r * sin
				}
			}
		})
	}
	if n.DType == tensor.Float64 {
		return e.generate(n, tensor.Float64, func(dst vec, at int) {
			d := as[float64](dst)
			for i := 0; i < len(d); i += 2 {
				u, v := uniformPair(seed, uint64(at+i)/2)
				d[i] = u
				if i+1 < len(d) {
					d[i+1] = v
				}
			}
		})
	}
	bits := map[tensor.DType]int{tensor.Float16: 11, tensor.BFloat16: 8, tensor.Float32: 24}[n.DType]
	scale := float32(math.Ldexp(1, -bits))
	return e.generate(n, tensor.Float32, func(dst vec, at int) {
		d := as[float32](dst)
		for i := 0; i < len(d); i += 4 {
			for j, w := range philox(seed, uint64(at+i)/4) {
				if i+j < len(d) {
					d[i+j] = float32(w>>(32-bits)) * scale
				}
			}
		}
	})
}

// uniformPair returns two numbers from [0, 1), multiples of 2^-53.
func uniformPair(seed, counter uint64) (u, v float64) {
	w := philox(seed, counter)
	return float64((uint64(w[1])<<32|uint64(w[0]))>>11) / (1 << 53), float64((uint64(w[3])<<32|uint64(w[2]))>>11) / (1 << 53)
}

// philox is Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3,
// SC 2011) with the key seed and the counter in the two low words.
func philox(seed, counter uint64) [4]uint32 {
	k0, k1 := uint32(seed), uint32(seed>>32)
	c0, c1, c2, c3 := uint32(counter), uint32(counter>>32), uint32(0), uint32(0)
	for range 10 {
		p0, p1 := uint64(c0)*0xD2511F53, uint64(c2)*0xCD9E8D57
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return [4]uint32{c0, c1, c2, c3}
}
