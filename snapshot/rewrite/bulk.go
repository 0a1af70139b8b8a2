package rewrite

import "slices"

// A bulk operation on memory can take tens of milliseconds, and nothing can
// interrupt it. So the rewriter puts functions in its place that do the same in
// chunks, and charge for each. Both take the operands of the instruction:
// destination, value or source, and length.

const (
	opI32Add   = 0x6a
	opI32GtU   = 0x4b
	opI32LeU   = 0x4d
	opI64GtU   = 0x56
	opI64Add   = 0x7c
	opI64Shl   = 0x86
	opI64Ext   = 0xad // i64.extend_i32_u
	opI32Or    = 0x72
	opLocalSet = 0x21
	opMemSize  = 0x3f
)

// Parameters of the functions.
const (
	dst    = 0
	src    = 1 // or the value
	length = 2
)

func getLocal(i byte) []byte { return []byte{opLocalGet, i} }

func i32Const(v int32) []byte { return appendI32([]byte{opI32Const}, v) }

// outside is code that tells whether length bytes from the address in a local
// reach beyond the memory.
func outside(address byte) []byte {
	return slices.Concat(
		getLocal(address), []byte{opI64Ext}, getLocal(length), []byte{opI64Ext, opI64Add},
		[]byte{opMemSize, 0, opI64Ext, opI64Const, 16, opI64Shl, opI64GtU},
	)
}

// addTo is code that adds n to a local.
func addTo(local byte, n int32) []byte {
	return slices.Concat(getLocal(local), i32Const(n), []byte{opI32Add, opLocalSet, local})
}

// moreThanChunk is code that tells whether length is more than a chunk.
func moreThanChunk() []byte {
	return slices.Concat(getLocal(length), i32Const(chunk), []byte{opI32GtU})
}

// rest is the end of both functions: it charges for what is left, and does it.
func (m *meter) rest(operation []byte) []byte {
	return slices.Concat(
		m.appendCheck(slices.Concat(m.get(), getLocal(length), []byte{opI32Const, bulkShift, opI32ShrU}), m.appendTick),
		getLocal(dst), getLocal(src), getLocal(length), operation, []byte{opEnd},
	)
}

// chunks is code that repeats body, which is metered, while more than a chunk is
// left.
func (m *meter) chunks(body ...[]byte) []byte {
	return slices.Concat(
		[]byte{opLoop, opVoid}, m.appendMeter(nil, site{form: checkHead, charge: chunk >> bulkShift}, 0, nil),
		slices.Concat(body...),
		moreThanChunk(), []byte{opBrIf, 0, opEnd},
	)
}

// trapFirst is code that does the whole operation if the condition says that it
// will trap, for it must do so before it has changed anything.
func trapFirst(condition, operation []byte) []byte {
	return slices.Concat(condition, []byte{opIf, opVoid},
		getLocal(dst), getLocal(src), getLocal(length), operation, []byte{opEnd})
}

func (m *meter) fillCode() []byte {
	fill := []byte{opMisc, 11, 0}
	return slices.Concat(
		[]byte{0}, // no locals
		moreThanChunk(), []byte{opIf, opVoid},
		trapFirst(outside(dst), fill),
		m.chunks(
			getLocal(dst), getLocal(src), i32Const(chunk), fill,
			addTo(dst, chunk), addTo(length, -chunk),
		),
		[]byte{opEnd},
		m.rest(fill),
	)
}

// copyCode copies forwards if the destination lies below the source, and else
// backwards, as memory.copy allows them to overlap.
func (m *meter) copyCode() []byte {
	move := []byte{opMisc, 10, 0, 0}
	end := func(local byte) []byte { return slices.Concat(getLocal(local), getLocal(length), []byte{opI32Add}) }
	return slices.Concat(
		[]byte{0},
		moreThanChunk(), []byte{opIf, opVoid},
		trapFirst(slices.Concat(outside(dst), outside(src), []byte{opI32Or}), move),
		getLocal(dst), getLocal(src), []byte{opI32LeU, opIf, opVoid},
		m.chunks(
			getLocal(dst), getLocal(src), i32Const(chunk), move,
			addTo(dst, chunk), addTo(src, chunk), addTo(length, -chunk),
		),
		[]byte{opElse},
		m.chunks(
			addTo(length, -chunk),
			end(dst), end(src), i32Const(chunk), move,
		),
		[]byte{opEnd},
		[]byte{opEnd},
		m.rest(move),
	)
}
