package cpu

import "unsafe"

// elem are the types that elements are stored and computed in. Bools are uint8,
// float16 and bfloat16 are stored as uint16.
type elem interface {
	uint8 | uint16 | int32 | int64 | float32 | float64
}

// A vec is a slice of elements whose type the code at hand knows. It keeps the memory
// alive that it points to.
type vec struct {
	p unsafe.Pointer
	n int // elements
}

// of returns s as a vec.
func of[T elem](s []T) vec { return vec{unsafe.Pointer(unsafe.SliceData(s)), len(s)} }

// as returns v as a slice.
func as[T elem](v vec) []T { return unsafe.Slice((*T)(v.p), v.n) }

// at returns n elements of size bytes from element i on. The caller has checked that
// they are there.
func (v vec) at(i, n, size int) vec { return vec{unsafe.Add(v.p, i*size), n} }

// vecOf returns data as elements of size bytes. If data are not aligned to that, ok is
// false.
func vecOf(data []byte, size int) (v vec, ok bool) {
	p := unsafe.Pointer(unsafe.SliceData(data))
	return vec{p, len(data) / size}, uintptr(p)%uintptr(size) == 0
}

// bytesOf returns the memory of v, whose elements have size bytes.
func (v vec) bytesOf(size int) []byte { return unsafe.Slice((*byte)(v.p), v.n*size) }

// littleEndian tells whether the machine stores numbers as the wire does.
func littleEndian() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 1
}
