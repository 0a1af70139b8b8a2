package cpu

// maxRank is above that of any program.
const maxRank = 32

// A layout is a row-major order over strided elements, with adjacent dimensions
// joined where that is possible.
type layout struct {
	shape, strides []int
	base           int // offset of the first element
}

// newLayout joins dimensions of shape.
func newLayout(shape, strides []int) layout {
	var l layout
	for i, n := range shape {
		if n == 1 {
			continue
		}
		if last := len(l.shape) - 1; last >= 0 && l.strides[last] == strides[i]*n {
			l.shape[last] *= n
			l.strides[last] = strides[i]
			continue
		}
		l.shape = append(l.shape, n)
		l.strides = append(l.strides, strides[i])
	}
	if len(l.shape) == 0 {
		l.shape, l.strides = []int{1}, []int{0}
	}
	return l
}

// each calls f for the runs of the last dimension that make up elements from start to
// end: n elements from offset on go to those from to on.
func (l *layout) each(start, end int, f func(to, offset, n int)) {
	last := len(l.shape) - 1
	var index [maxRank]int
	offset, rest := l.base, start
	for d := last; d >= 0; d-- {
		index[d] = rest % l.shape[d]
		offset += index[d] * l.strides[d]
		rest /= l.shape[d]
	}
	for i := start; i < end; {
		n := min(l.shape[last]-index[last], end-i)
		f(i-start, offset, n)
		i += n
		offset -= index[last] * l.strides[last]
		index[last] = 0
		for d := last - 1; d >= 0; d-- {
			index[d]++
			offset += l.strides[d]
			if index[d] < l.shape[d] {
				break
			}
			offset -= index[d] * l.strides[d]
			index[d] = 0
		}
	}
}

// period returns after how many elements all repeats, the size of the layout if that
// is not known.
func (l *layout) period() int {
	n := 1
	for d := len(l.shape) - 1; d >= 0; d-- {
		if d == 0 && l.strides[0] == 0 {
			return n
		}
		n *= l.shape[d]
	}
	return n
}

// gather copies elements from start on to dst.
func gather[T elem](dst, src []T, l *layout, start int) {
	if period := l.period(); len(dst) > 2*period {
		// Rows that repeat are copied from each other, more and more at a time.
		gather(dst[:period], src, l, start)
		for n := period; n < len(dst); n *= 2 {
			copy(dst[n:], dst[:n])
		}
		return
	}
	stride := l.strides[len(l.strides)-1]
	l.each(start, start+len(dst), func(to, offset, n int) {
		d := dst[to : to+n]
		switch stride {
		case 1:
			copy(d, src[offset:offset+n])
		case 0:
			v := src[offset]
			for i := range d {
				d[i] = v
			}
		default:
			for i := range d {
				d[i] = src[offset]
				offset += stride
			}
		}
	})
}

// scatter copies src to the elements from start on.
func scatter[T elem](dst, src []T, l *layout, start int) {
	stride := l.strides[len(l.strides)-1]
	l.each(start, start+len(src), func(from, offset, n int) {
		s := src[from : from+n]
		if stride == 1 {
			copy(dst[offset:offset+n], s)
			return
		}
		for _, v := range s {
			dst[offset] = v
			offset += stride
		}
	})
}

// gatherRaw is gather for elements of size bytes, which go as they are.
func gatherRaw(dst, src vec, l *layout, start, size int) {
	switch size {
	case 1:
		gather(as[uint8](dst), as[uint8](src), l, start)
	case 2:
		gather(as[uint16](dst), as[uint16](src), l, start)
	case 4:
		gather(as[int32](dst), as[int32](src), l, start)
	default:
		gather(as[int64](dst), as[int64](src), l, start)
	}
}

// scatterRaw is scatter for elements of size bytes.
func scatterRaw(dst, src vec, l *layout, start, size int) {
	switch size {
	case 1:
		scatter(as[uint8](dst), as[uint8](src), l, start)
	case 2:
		scatter(as[uint16](dst), as[uint16](src), l, start)
	case 4:
		scatter(as[int32](dst), as[int32](src), l, start)
	default:
		scatter(as[int64](dst), as[int64](src), l, start)
	}
}
