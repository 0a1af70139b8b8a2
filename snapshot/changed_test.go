package snapshot_test

import (
	"testing"

	"github.com/sporeengine/spore/snapshot"
)

// A snapshot made with the list of changed pages is the one made without.
func TestChangedPagesSaveOnlyTime(t *testing.T) {
	base := make([]byte, 4*snapshot.WasmPageSize)
	for i := range base {
		base[i] = byte(i / 1000)
	}
	img, err := snapshot.NewImage(base, 8*snapshot.WasmPageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	m, err := img.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Enter()
	if _, ok := m.Grow(6 * snapshot.WasmPageSize); !ok {
		t.Fatal("memory does not grow")
	}
	for _, at := range []int{0, 5000, 5001, 100_000, len(base) + 3, 6*snapshot.WasmPageSize - 1} {
		m.Bytes()[at] ^= 0x55
	}
	m.Bytes()[20_000] ^= 0 // written to, but the same
	m.Leave()
	changed, err := m.AppendChanged([]int32{})
	if err != nil {
		t.Fatal(err)
	}
	p := snapshot.Params{Base: snapshot.Digest{1}, BaseMemory: base, Memory: m.Bytes()}
	slow, err := snapshot.New(p)
	if err != nil {
		t.Fatal(err)
	}
	p.Changed = changed
	fast, err := snapshot.New(p)
	if err != nil {
		t.Fatal(err)
	}
	if slow.Digest() != fast.Digest() || slow.Info() != fast.Info() || fast.Info().StoredBytes == 0 {
		t.Errorf("with the list %+v, without %+v", fast.Info(), slow.Info())
	}
	for _, bad := range [][]int32{{-1}, {3, 3}, {5, 4}, {6 * snapshot.WasmPageSize / snapshot.PageSize}} {
		p.Changed = bad
		if _, err := snapshot.New(p); err == nil {
			t.Errorf("pages %v were accepted", bad)
		}
	}
}
