//go:build linux && (amd64 || arm64)

package snapshot

import "testing"

// TestSlabGivesMemoryBack looks at the page table of the slab.
func TestSlabGivesMemoryBack(t *testing.T) {
	counted := openMappings.Load()
	s, err := NewSlab(64 << 20)
	if err != nil {
		t.Fatal(err)
	}
	memory := s.memory.(*mapSlab)
	resident := func() int64 {
		private, _, swapped := residency(t, memory.mem)
		return int64(private+swapped) * PageSize
	}
	if n := resident(); n != 0 {
		t.Errorf("%d bytes of a new slab take memory", n)
	}
	var handles []Handle
	for range 5000 {
		handles = append(handles, put(t, s, make([]byte, 3400)))
	}
	if n, st := resident(), s.Stats(); n < st.Bytes || n > st.Mapped || float64(n) > 1.1*float64(st.Bytes) {
		t.Errorf("%d bytes take memory for %+v", n, st)
	}
	for _, h := range handles {
		if err := s.Free(h); err != nil {
			t.Fatal(err)
		}
	}
	if n := resident(); n > spareChunks*chunkBytes {
		t.Errorf("%d bytes take memory in an empty slab", n)
	}
	if n := openMappings.Load() - counted; n != 1 {
		t.Errorf("%d mappings counted, want 1", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := openMappings.Load() - counted; n != 0 {
		t.Errorf("%d mappings counted after Close", n)
	}
}
