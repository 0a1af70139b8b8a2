package cuda

import (
	"fmt"
	"math"
	"strings"

	"github.com/sporeengine/spore/gpu/tensor"
)

// A source is a kernel that is being written, with the parameters of a launch of it. Programs that differ in numbers only have the
// same text, so they share the compiled kernel.
type source struct {
	body   strings.Builder
	types  strings.Builder // declarations before the kernel
	shared strings.Builder // declarations of what the threads of a block share
	words  []uint64
	fixes  []fixup
	items  int64
	block  bool // each item is the work of a block
	long   bool // there are other indices than of items that need 64 bits
}

// A fixup puts an address into a word when a launch is made: of a byte of a buffer.
type fixup struct {
	word, buf int
	offset    int64
}

// newSource begins a kernel with so many items.
func newSource(items int64) *source {
	return &source{items: items, words: []uint64{0, uint64(items)}}
}

func (s *source) printf(format string, args ...any) { fmt.Fprintf(&s.body, format, args...) }

// num adds a parameter and returns an expression for it.
func (s *source) num(x int64) string {
	s.words = append(s.words, uint64(x))
	return fmt.Sprintf("NUM(%d)", len(s.words)-1)
}

// length adds a parameter that divides indices.
func (s *source) length(x int) string {
	s.words = append(s.words, uint64(x))
	return fmt.Sprintf("LEN(%d)", len(s.words)-1)
}

func (s *source) float(x float64) string {
	s.words = append(s.words, math.Float64bits(x))
	return fmt.Sprintf("FLOAT(%d)", len(s.words)-1)
}

// pointer adds the address of an element of a buffer.
func (s *source) pointer(buf int, offset int64) string {
	s.fixes = append(s.fixes, fixup{len(s.words), buf, offset})
	s.words = append(s.words, 0)
	return fmt.Sprintf("PTR(%d)", len(s.words)-1)
}

// at adds the address of the first element of v.
func (s *source) at(v *view) string { return s.pointer(v.buf, v.offset*int64(v.dtype.Size())) }

// coords writes declarations of the coordinates of an index in a shape and returns their names.
func (s *source) coords(index, prefix string, shape tensor.Shape) []string {
	names := make([]string, len(shape))
	for d := range shape {
		names[d] = fmt.Sprintf("%s%d", prefix, d)
	}
	rest := index
	for d := len(shape) - 1; d > 0; d-- {
		n := s.length(shape[d])
		s.printf("INDEX %s = %s %% %s, %sr%d = %s / %s;\n", names[d], rest, n, prefix, d, rest, n)
		rest = fmt.Sprintf("%sr%d", prefix, d)
	}
	if len(shape) > 0 {
		s.printf("INDEX %s = %s;\n", names[0], rest)
	}
	return names
}

// offset returns an expression for the sum of coordinates times strides.
func (s *source) offset(coords []string, strides []int64) string {
	var terms []string
	for d, c := range coords {
		switch strides[d] {
		case 0:
		case 1:
			terms = append(terms, "(i64)"+c)
		default:
			terms = append(terms, fmt.Sprintf("(i64)%s * %s", c, s.num(strides[d])))
		}
	}
	if terms == nil {
		return "0"
	}
	return strings.Join(terms, " + ")
}

// value returns an expression for an element of v at an offset, or for v itself if it is a literal.
func (s *source) value(v *view, offset string) string {
	if v.buf != literal {
		return fmt.Sprintf("ld_%s(%s, %s)", suffix(v.dtype), s.at(v), offset)
	}
	if v.dtype.IsFloat() {
		return fromF64(v.dtype, s.float(math.Float64frombits(v.bits)))
	}
	return fmt.Sprintf("(%s)%s", ctype(v.dtype), s.num(int64(v.bits)))
}

// text returns the whole.
func (s *source) text() string {
	index := "u32"
	if s.items >= 1<<31 || s.long {
		index = "u64"
	}
	return fmt.Sprintf("#define NWORDS %d\n#define INDEX %s\n%s\n%s\nKERNEL k(P p) {\n%s%s}\n", len(s.words), index, prelude, s.types.String(), s.shared.String(), s.body.String())
}
