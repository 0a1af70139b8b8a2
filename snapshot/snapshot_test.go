package snapshot_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/sporeengine/spore/snapshot"
)

var update = flag.Bool("update", false, "write the golden files of the current format")

// samples are snapshots of all shapes. They are what the golden files hold, so
// they never change; new ones may be added.
func samples(t testing.TB) map[string]*snapshot.Snapshot {
	t.Helper()
	memory := func(pages int) []byte {
		mem := make([]byte, pages*snapshot.WasmPageSize)
		for at := 0; at < len(mem); at += 3 * snapshot.PageSize {
			for i := range 500 {
				mem[at+i*7] = byte(at>>12 + i)
			}
		}
		return mem
	}
	made := make(map[string]*snapshot.Snapshot)
	add := func(name string, p snapshot.Params) *snapshot.Snapshot {
		p.Runtime = sha256.Sum256([]byte("a runtime"))
		s, err := snapshot.New(p)
		if err != nil {
			t.Fatal(err)
		}
		made[name] = s
		return s
	}
	add("empty", snapshot.Params{})
	add("zero", snapshot.Params{Memory: make([]byte, 3*snapshot.WasmPageSize)})
	baseMemory := memory(4)
	base := add("whole", snapshot.Params{
		Memory:  baseMemory,
		Globals: []uint64{1, 0xfffffffffffffff0, 65536},
		Meta:    []byte(`{"name":"whole"}`),
	})
	changed := append(bytes.Clone(baseMemory), make([]byte, 2*snapshot.WasmPageSize)...)
	changed[5]++
	clear(changed[3*snapshot.PageSize : 4*snapshot.PageSize]) // a page becomes zero
	changed[len(changed)-1] = 9
	add("delta", snapshot.Params{Memory: changed, Base: base.Digest(), BaseMemory: baseMemory, Globals: []uint64{2, 3, 4}})
	add("no-change", snapshot.Params{Memory: baseMemory, Base: base.Digest(), BaseMemory: baseMemory})

	// Two blocks, the first of which does not compress.
	noise := make([]byte, 20*snapshot.WasmPageSize)
	state := uint32(1)
	for i := range noise[:1<<20] {
		state ^= state << 13
		state ^= state >> 17
		state ^= state << 5
		noise[i] = byte(state)
	}
	for at := 1 << 20; at < len(noise); at += snapshot.PageSize {
		noise[at] = 1
	}
	add("two-blocks", snapshot.Params{Memory: noise})
	return made
}

// memoryOf returns the memory of one of the samples.
func memoryOf(t testing.TB, all map[string]*snapshot.Snapshot, s *snapshot.Snapshot) []byte {
	t.Helper()
	var base []byte
	if d := s.Info().Base; d != (snapshot.Digest{}) {
		for _, b := range all {
			if b.Digest() == d {
				base = memoryOf(t, all, b)
			}
		}
	}
	mem, err := s.Memory(base)
	if err != nil {
		t.Fatal(err)
	}
	return mem
}

// encode returns the compressed and the raw form.
func encode(t testing.TB, s *snapshot.Snapshot) map[string][]byte {
	t.Helper()
	var compressed, raw bytes.Buffer
	for _, form := range []struct {
		b     *bytes.Buffer
		write func(io.Writer) (int64, error)
	}{{&compressed, s.WriteTo}, {&raw, s.WriteRaw}} {
		if n, err := form.write(form.b); err != nil || n != int64(form.b.Len()) {
			t.Fatalf("wrote %d bytes, reported %d: %v", form.b.Len(), n, err)
		}
	}
	return map[string][]byte{"compressed": compressed.Bytes(), "raw": raw.Bytes()}
}

func equal(t *testing.T, got, want *snapshot.Snapshot, all map[string]*snapshot.Snapshot) {
	t.Helper()
	if got.Digest() != want.Digest() {
		t.Errorf("digest %v, want %v", got.Digest(), want.Digest())
	}
	if got.Info() != want.Info() {
		t.Errorf("info %+v, want %+v", got.Info(), want.Info())
	}
	if !slices.Equal(got.Globals(), want.Globals()) || !bytes.Equal(got.Meta(), want.Meta()) {
		t.Error("globals or meta data differ")
	}
	if !bytes.Equal(memoryOf(t, all, got), memoryOf(t, all, want)) {
		t.Error("memory differs")
	}
	if err := got.VerifyDigest(); err != nil {
		t.Error(err)
	}
}

func TestRoundTrip(t *testing.T) {
	all := samples(t)
	for name, want := range all {
		for form, b := range encode(t, want) {
			t.Run(name+" "+form, func(t *testing.T) {
				for again, other := range encode(t, want) {
					if again == form && !bytes.Equal(other, b) {
						t.Error("written twice, it differs")
					}
				}
				// Exactly as much is read as was written, however it arrives.
				r := bytes.NewReader(append(bytes.Clone(b), "more"...))
				got, err := snapshot.Read(iotest.OneByteReader(r))
				if err != nil {
					t.Fatal(err)
				}
				if r.Len() != len("more") {
					t.Errorf("%d bytes are left, want 4", r.Len())
				}
				equal(t, got, want, all)

				got, err = snapshot.ReadTrusted(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				equal(t, got, want, all)
			})
		}
	}
}

func TestContents(t *testing.T) {
	all := samples(t)
	whole := all["whole"]
	info := whole.Info()
	if info.Format != 1 || info.MemoryBytes != 4*snapshot.WasmPageSize || info.StoredBytes != 22*snapshot.PageSize {
		t.Errorf("info of a whole snapshot: %+v", info)
	}
	info = all["delta"].Info()
	if info.Base != whole.Digest() || info.MemoryBytes != 6*snapshot.WasmPageSize || info.StoredBytes != 3*snapshot.PageSize {
		t.Errorf("info of a delta: %+v", info)
	}

	// What a snapshot hands out is a copy.
	whole.Globals()[0] = 99
	whole.Meta()[0] = 'x'
	memoryOf(t, all, whole)[0]++
	if err := whole.VerifyDigest(); err != nil {
		t.Error(err)
	}

	// So is what it was made of.
	mem := make([]byte, snapshot.WasmPageSize)
	p := snapshot.Params{Memory: mem, Globals: []uint64{1}, Meta: []byte{1}}
	mem[9] = 1
	s, err := snapshot.New(p)
	if err != nil {
		t.Fatal(err)
	}
	mem[9], p.Globals[0], p.Meta[0] = 2, 2, 2
	if err := s.VerifyDigest(); err != nil {
		t.Error(err)
	}
}

func TestDigestTellsEverythingApart(t *testing.T) {
	mem := make([]byte, 2*snapshot.WasmPageSize)
	mem[0] = 1
	base := make([]byte, snapshot.WasmPageSize)
	moved := make([]byte, len(mem))
	moved[snapshot.PageSize] = 1
	seen := make(map[snapshot.Digest]int)
	for i, p := range []snapshot.Params{
		{Memory: mem},
		{Memory: moved},
		{Memory: mem[:snapshot.WasmPageSize]},
		{Memory: mem, Runtime: snapshot.Digest{1}},
		{Memory: mem, Globals: []uint64{0}},
		{Memory: mem, Meta: []byte{0, 0, 0, 0, 0, 0, 0, 0}},
		{Memory: mem, Base: snapshot.Digest{1}, BaseMemory: base},
		{Memory: mem, Base: snapshot.Digest{2}, BaseMemory: base},
		{Memory: mem, Base: snapshot.Digest{2}, BaseMemory: make([]byte, 2*snapshot.WasmPageSize)},
	} {
		s, err := snapshot.New(p)
		if err != nil {
			t.Fatal(err)
		}
		if j, ok := seen[s.Digest()]; ok {
			t.Errorf("snapshots %d and %d have the same digest", i, j)
		}
		seen[s.Digest()] = i
	}
}

func TestNewRefuses(t *testing.T) {
	page := make([]byte, snapshot.WasmPageSize)
	for name, p := range map[string]snapshot.Params{
		"an odd length":            {Memory: page[:100]},
		"a base without memory":    {Memory: page, Base: snapshot.Digest{1}},
		"base memory without base": {Memory: page, BaseMemory: page},
		"a base that is longer":    {Base: snapshot.Digest{1}, BaseMemory: page},
		"too many globals":         {Memory: page, Globals: make([]uint64, snapshot.MaxGlobals+1)},
		"too much meta data":       {Memory: page, Meta: make([]byte, snapshot.MaxMetaBytes+1)},
	} {
		if _, err := snapshot.New(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClosed(t *testing.T) {
	s := samples(t)["whole"]
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Memory(nil); err != snapshot.ErrClosed {
		t.Errorf("Memory: %v", err)
	}
	if _, err := s.WriteTo(io.Discard); err != snapshot.ErrClosed {
		t.Errorf("WriteTo: %v", err)
	}
	if err := s.VerifyDigest(); err != snapshot.ErrClosed {
		t.Errorf("VerifyDigest: %v", err)
	}
	if s.Info().MemoryBytes == 0 || s.Digest() == (snapshot.Digest{}) {
		t.Error("a closed snapshot has forgotten what it is")
	}
}

func TestMemoryWantsTheRightBase(t *testing.T) {
	all := samples(t)
	if _, err := all["delta"].Memory(nil); err == nil {
		t.Error("a delta without base: no error")
	}
	if _, err := all["whole"].Memory(make([]byte, snapshot.WasmPageSize)); err == nil {
		t.Error("a whole snapshot with a base: no error")
	}
}

func TestReadPassesErrorsOfTheReader(t *testing.T) {
	b := encode(t, samples(t)["whole"])["raw"]
	broken := errors.New("broken")
	for _, n := range []int{0, 5, 100, 180, 300, 5000} {
		_, err := snapshot.Read(io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || typed(err) {
			t.Errorf("error after %d bytes: %v", n, err)
		}
	}
}

// limitedWriter fails after n bytes.
type limitedWriter struct{ n int }

func (w *limitedWriter) Write(b []byte) (int, error) {
	n := min(w.n, len(b))
	if w.n -= n; n < len(b) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

func TestWriteReportsWhatWasWritten(t *testing.T) {
	s := samples(t)["two-blocks"]
	for _, n := range []int{0, 100, 300, 5000, 1<<20 + 200} {
		if got, err := s.WriteTo(&limitedWriter{n}); err != io.ErrShortWrite || got != int64(n) {
			t.Errorf("%d bytes of room: %d, %v", n, got, err)
		}
	}
}

func TestOpen(t *testing.T) {
	all := samples(t)
	path := filepath.Join(t.TempDir(), "x.snap")
	b := encode(t, all["whole"])["compressed"]
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, s, all["whole"], all)
	if err := os.WriteFile(path, append(b, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.Open(path); !errors.Is(err, snapshot.ErrCorrupt) {
		t.Errorf("a file with more behind the snapshot: %v", err)
	}
	if _, err := snapshot.Open(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	all := samples(t)
	s := all["two-blocks"]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var b bytes.Buffer
			if _, err := s.WriteTo(&b); err != nil {
				t.Error(err)
			}
			got, err := snapshot.Read(&b)
			if err != nil || got.Digest() != s.Digest() {
				t.Error("does not come back: ", err)
			}
			if err := s.VerifyDigest(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestGolden reads what earlier versions of this package wrote. Files of a
// released format are never written again: -update only adds.
func TestGolden(t *testing.T) {
	all := samples(t)
	for name, want := range all {
		for form, b := range encode(t, want) {
			path := filepath.Join("testdata", "v1", fmt.Sprintf("%s-%s.snap", name, form))
			if len(b) > 128<<10 {
				continue // nothing in it that the smaller ones lack
			}
			if _, err := os.Stat(path); *update && errors.Is(err, os.ErrNotExist) {
				if err := os.WriteFile(path, b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := snapshot.Read(bytes.NewReader(golden))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			equal(t, got, want, all)

			// Only compression may differ between versions.
			if form == "raw" && !bytes.Equal(b, golden) {
				t.Errorf("%s: the format has changed; raise formatVersion", path)
			}
		}
	}
}

// TestFormatFingerprint fails when the format changes in any way: in its bytes
// or in what the digest covers. Then formatVersion must be raised, the reader
// must keep the old version, and golden files of the new one be added.
func TestFormatFingerprint(t *testing.T) {
	h := sha256.New()
	all := samples(t)
	for _, name := range []string{"empty", "zero", "whole", "delta", "no-change", "two-blocks"} {
		h.Write(encode(t, all[name])["raw"])
	}
	const want = "105637fb203f3ba33e4bab1da1f98711ad0078cbd0ae7fa08c4d4a4b7608a6e8"
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
		t.Errorf("fingerprint %s, want %s", got, want)
	}
}

func TestImageOfASnapshot(t *testing.T) {
	all := samples(t)
	for name, s := range all {
		var base []byte
		if s.Info().Base == all["whole"].Digest() {
			base = memoryOf(t, all, all["whole"])
		}
		img, err := s.NewImage(base, 2<<20)
		if name == "empty" {
			if err == nil {
				t.Error("an image of no bytes")
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(img.Bytes(), memoryOf(t, all, s)) {
			t.Errorf("%s: image differs from the memory", name)
		}
		if err := img.Close(); err != nil {
			t.Error(err)
		}
		if _, err := s.NewImage(make([]byte, 7*snapshot.WasmPageSize), 2<<20); err == nil {
			t.Errorf("%s: no error with the memory of another base", name)
		}
	}
}

func TestClone(t *testing.T) {
	all := samples(t)
	s := all["whole"]
	c, err := s.Clone()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := s.Clone(); err != snapshot.ErrClosed {
		t.Errorf("Clone of a closed snapshot: %v", err)
	}
	equal(t, c, samples(t)["whole"], all)
}
