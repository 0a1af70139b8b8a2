package snapshot_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/sporeengine/spore/snapshot"
)

// A guest starts from an image as often as one likes, and never sees what an
// earlier one has done.
func ExampleMemory() {
	mem := make([]byte, snapshot.WasmPageSize)
	copy(mem, "as it was")
	img, err := snapshot.NewImage(mem, 16<<20)
	if err != nil {
		log.Fatal(err)
	}
	defer img.Close()
	m, err := img.NewMemory()
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	m.Enter()
	copy(m.Bytes(), "a secret!")
	m.Grow(1 << 20)
	m.Leave()
	fmt.Printf("%s, %d bytes\n", m.Bytes()[:9], len(m.Bytes()))

	if err := m.Reset(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %d bytes\n", m.Bytes()[:9], len(m.Bytes()))
	// Output:
	// a secret!, 1048576 bytes
	// as it was, 65536 bytes
}

// A guest that is idle is its lines in a slab. Another memory of the image goes on
// from there.
func ExampleSlab() {
	img, err := snapshot.NewImage(make([]byte, snapshot.WasmPageSize), 16<<20)
	if err != nil {
		log.Fatal(err)
	}
	defer img.Close()
	m, err := img.NewMemory()
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	idle, err := snapshot.NewSlab(1 << 20)
	if err != nil {
		log.Fatal(err)
	}
	defer idle.Close()

	m.Enter()
	copy(m.Bytes()[5000:], "what it remembers")
	m.Leave()
	lines, err := m.AppendDelta(nil)
	if err != nil {
		log.Fatal(err)
	}
	guest, err := idle.Put(lines)
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Reset(); err != nil {
		log.Fatal(err)
	}

	lines, err = idle.Get(lines[:0], guest)
	if err != nil {
		log.Fatal(err)
	}
	m.Enter()
	err = m.ApplyDelta(lines)
	m.Leave()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d bytes: %s\n", len(lines), m.Bytes()[5000:5017])
	// Output: 80 bytes: what it remembers
}

// A delta holds the pages that differ from its base, and is worth nothing
// without it.
func ExampleNew() {
	mem := make([]byte, 64*snapshot.WasmPageSize)
	mem[0] = 1
	base, err := snapshot.New(snapshot.Params{Memory: mem})
	if err != nil {
		log.Fatal(err)
	}
	baseMemory := bytes.Clone(mem)
	mem[100_000] = 2
	delta, err := snapshot.New(snapshot.Params{Memory: mem, Base: base.Digest(), BaseMemory: baseMemory})
	if err != nil {
		log.Fatal(err)
	}

	var file bytes.Buffer
	if _, err := delta.WriteTo(&file); err != nil {
		log.Fatal(err)
	}
	read, err := snapshot.Read(&file)
	if err != nil {
		log.Fatal(err)
	}
	info := read.Info()
	back, err := read.Memory(baseMemory)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.MemoryBytes, info.StoredBytes, info.Base == base.Digest(), bytes.Equal(back, mem))
	// Output: 4194304 4096 true true
}
