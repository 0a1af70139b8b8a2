package cuda

import (
	"fmt"
	"math"
)

// Numbers of cuBLAS and of its library types.
const (
	blasN, blasT = 0, 1

	typeF32, typeF64, typeF16, typeBF16 = 0, 1, 2, 14

	computeF32, computeF64, computeTF32 = 68, 70, 77

	// Sums of float16 and bfloat16 stay in float32 to their end.
	mathNoReducedPrecision = 16

	algorithmDefault = ^uintptr(0) // -1
)

func (d *cudaDriver) openBLAS() error {
	d.out[0] = 0
	if status := d.blas.call(cublasCreate, d.outAt(0)); status != 0 {
		return blasError(cublasCreate, status)
	}
	d.handle = uintptr(d.out[0])
	if status := d.blas.call(cublasSetMathMode, d.handle, mathNoReducedPrecision); status != 0 {
		return blasError(cublasSetMathMode, status)
	}
	if status := d.blas.call(cublasGetVersion, d.handle, d.outAt(0)); status != 0 {
		return blasError(cublasGetVersion, status)
	}
	d.info.runtimeLibs += fmt.Sprintf(", cuBLAS %d %s", int32(d.out[0]), d.blas.path)
	return nil
}

func (d *cudaDriver) gemm(g *gemm, s stream) error {
	if status := d.blas.call(cublasSetStream, d.handle, uintptr(s)); status != 0 {
		return blasError(cublasSetStream, status)
	}
	typ, compute := uintptr(typeF32), uintptr(computeF32)
	one := uint64(math.Float32bits(1))
	switch g.dtype {
	case gemmF16:
		typ = typeF16
	case gemmBF16:
		typ = typeBF16
	case gemmF64:
		typ, compute, one = typeF64, computeF64, math.Float64bits(1)
	case gemmF32:
		if g.tf32 {
			compute = computeTF32
		}
	}
	trans := func(t bool) uintptr {
		if t {
			return blasT
		}
		return blasN
	}
	d.out[0], d.out[1] = one, 0 // read before the call returns
	alpha, beta := d.outAt(0), d.outAt(1)
	ta, tb := trans(g.transA), trans(g.transB)
	m, n, k := uintptr(g.m), uintptr(g.n), uintptr(g.k)
	a, b, c := uintptr(g.a), uintptr(g.b), uintptr(g.c)
	lda, ldb, ldc := uintptr(g.lda), uintptr(g.ldb), uintptr(g.ldc)
	f := cublasGemmEx
	var status uintptr
	if g.count == 1 {
		status = d.blas.call(f, d.handle, ta, tb, m, n, k, alpha, a, typ, lda, b, typ, ldb, beta, c, typ, ldc, compute, algorithmDefault)
	} else {
		f = cublasGemmStridedBatchedEx
		status = d.blas.call(f, d.handle, ta, tb, m, n, k, alpha, a, typ, lda, uintptr(g.strideA), b, typ, ldb, uintptr(g.strideB),
			beta, c, typ, ldc, uintptr(g.strideC), uintptr(g.count), compute, algorithmDefault)
	}
	if status != 0 {
		return blasError(f, status)
	}
	return nil
}

// blasError turns a status of cuBLAS into an error. Want of memory is one of this call, what went wrong on the device is of all.
func blasError(f int, status uintptr) error {
	e := &driverError{call: cublasSymbols[f].name, code: int(int32(status)), kind: fatal}
	switch e.code {
	case 3:
		e.kind, e.text = outOfMemory, "allocation failed"
	case 7:
		e.kind, e.text = failed, "invalid value"
	case 8:
		e.kind, e.text = failed, "not for this device"
	case 13:
		e.text = "execution failed"
	case 15:
		e.kind, e.text = failed, "not supported"
	}
	return e
}
