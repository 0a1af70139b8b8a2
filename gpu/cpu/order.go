package cpu

import (
	"cmp"
	"math"
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// An entry is an element that is sorted: a key whose order is that of the elements,
// and its index. Equal elements have equal keys, so those of a lower index come first
// whatever the order.
type entry struct {
	key   uint64
	index int64
}

func compare(a, b entry) int {
	if c := cmp.Compare(a.key, b.key); c != 0 {
		return c
	}
	return cmp.Compare(a.index, b.index)
}

// keyOf returns the key of a float: its bits with their order made that of unsigned
// numbers. NaN is above all, -0 equals 0.
func keyOf[T float32 | float64](x T) uint64 {
	if x != x {
		return math.MaxUint64
	}
	b := math.Float64bits(float64(x + 0)) // -0 + 0 is 0
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

func keyOfInt[T integer](x T) uint64 { return uint64(int64(x)) ^ 1<<63 }

// order runs sort and topk.
func order(e *exec, n *tensor.Node) error {
	x := e.values[n.In[0]]
	switch classOf(x.dtype) {
	case classU8:
		return orderRows(e, n, x, keyOfInt[uint8])
	case classI32:
		return orderRows(e, n, x, keyOfInt[int32])
	case classI64:
		return orderRows(e, n, x, keyOfInt[int64])
	case classF32:
		return orderRows(e, n, x, keyOf[float32])
	}
	return orderRows(e, n, x, keyOf[float64])
}

func orderRows[T number](e *exec, n *tensor.Node, x *value, key func(T) uint64) error {
	axis := n.Int("axis")
	length := x.shape[axis]
	k, down := length, false
	if n.Op == tensor.TopK {
		k, down = n.Int("k"), n.Bool("largest")
	} else {
		down = n.Bool("descending")
	}
	flip := uint64(0)
	if down {
		flip = math.MaxUint64
	}
	values, indices := e.result(n.Out), e.result(n.Out+1)
	in, err := e.rowsOf(x, axis, x.dtype)
	defer e.releaseRows(in)
	if err != nil {
		return err
	}
	outV, putV := e.putRows(values, axis, k)
	outI, putI := e.putRows(indices, axis, k)
	size := classOf(x.dtype).size()
	// put writes the first k entries of a row.
	put := func(row int, sorted []entry, src []T) {
		v, ix := as[T](outV.data.at(row*k, k, size)), as[int64](outI.data.at(row*k, k, 8))
		for i, s := range sorted[:k] {
			v[i], ix[i] = src[s.index], s.index
		}
	}
	src := func(row int) []T { return as[T](in.data.at(row*length, length, size)) }
	if k > 0 {
		if k > length/8 {
			err = spans(e.ctx, e.procs, in.count, grain/16/max(1, length), func(start, end int) {
				memory := make([]entry, 2*length)
				for i := start; i < end; i++ {
					x := src(i)
					list := memory[:length]
					for j, v := range x {
						list[j] = entry{key(v) ^ flip, int64(j)}
					}
					put(i, sortEntries(list, memory[length:]), x)
				}
			})
		} else {
			err = selectRows(e, in.count, length, k, func(row, start, end int, h *heap) {
				for j, v := range src(row)[start:end] {
					h.offer(entry{key(v) ^ flip, int64(start + j)})
				}
			}, func(row int, sorted []entry) { put(row, sorted, src(row)) })
		}
	}
	for _, put := range []func() error{putV, putI} {
		if e := put(); err == nil {
			err = e
		}
	}
	return err
}

// selectRows finds the k first entries of each row: of parts of long rows first, in
// parallel, then of what is left.
func selectRows(e *exec, count, length, k int, offer func(row, start, end int, h *heap), put func(row int, sorted []entry)) error {
	part := max(segment, 4*k)
	parts := (length + part - 1) / part
	if parts == 1 {
		return spans(e.ctx, e.procs, count, grain/length, func(start, end int) {
			h := heap{k: k, entries: make([]entry, 0, k)}
			for i := start; i < end; i++ {
				h.entries = h.entries[:0]
				offer(i, 0, length, &h)
				slices.SortFunc(h.entries, compare)
				put(i, h.entries)
			}
		})
	}
	for i := range count {
		found := make([][]entry, parts)
		err := parallel(e.ctx, e.procs, parts, func(p int) {
			h := heap{k: k, entries: make([]entry, 0, k)}
			offer(i, p*part, min(length, (p+1)*part), &h)
			found[p] = h.entries
		})
		if err != nil {
			return err
		}
		all := slices.Concat(found...)
		slices.SortFunc(all, compare)
		put(i, all)
	}
	return nil
}

// A heap keeps the k first of the entries that it is offered, the last of them at the
// root.
type heap struct {
	k       int
	entries []entry
}

func (h *heap) offer(x entry) {
	s := h.entries
	if len(s) == h.k {
		// Entries come by ascending index, so an equal key is no improvement.
		if x.key >= s[0].key {
			return
		}
		i := 0
		for {
			c := 2*i + 1
			if c >= len(s) {
				break
			}
			if c+1 < len(s) && compare(s[c+1], s[c]) > 0 {
				c++
			}
			if compare(s[c], x) <= 0 {
				break
			}
			s[i] = s[c]
			i = c
		}
		s[i] = x
		return
	}
	s = append(s, x)
	i := len(s) - 1
	for i > 0 {
		p := (i - 1) / 2
		if compare(s[p], x) >= 0 {
			break
		}
		s[i] = s[p]
		i = p
	}
	s[i] = x
	h.entries = s
}

// sortEntries sorts list, whose indices ascend, with the help of spare, which is as
// long. The result is in one of them. Long lists are sorted digit by digit.
func sortEntries(list, spare []entry) []entry {
	if len(list) < 256 {
		slices.SortFunc(list, compare)
		return list
	}
	var counts [8][256]int
	for _, e := range list {
		for d := range 8 {
			counts[d][uint8(e.key>>(8*d))]++
		}
	}
	for d := range 8 {
		c := &counts[d]
		if c[uint8(list[0].key>>(8*d))] == len(list) {
			continue // all have the same digit
		}
		sum := 0
		for i, n := range c {
			c[i] = sum
			sum += n
		}
		for _, e := range list {
			digit := uint8(e.key >> (8 * d))
			spare[c[digit]] = e
			c[digit]++
		}
		list, spare = spare, list
	}
	return list
}
