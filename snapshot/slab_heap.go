package snapshot

// heapSlab is memory of a slab on the Go heap, which works everywhere.
type heapSlab struct{ chunks [][]byte }

func newHeapSlab() slabMemory { return new(heapSlab) }

func (m *heapSlab) take(chunk int) {
	if chunk >= len(m.chunks) {
		m.chunks = append(m.chunks, nil)
	}
	m.chunks[chunk] = make([]byte, chunkBytes)
}

func (m *heapSlab) bytes(chunk int) []byte { return m.chunks[chunk] }
func (m *heapSlab) give(chunk int)         { m.chunks[chunk] = nil }
func (m *heapSlab) close() error           { return nil }
