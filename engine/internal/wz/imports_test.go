package wz

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// fakeHost records what it is asked for.
type fakeHost struct {
	written strings.Builder
	slept   []int64
	random  int
	reply   []byte
	budget  int32
	err     error
}

func (h *fakeHost) Tick(int32) (int32, error) { return h.budget, h.err }
func (h *fakeHost) Call(id, flags uint32, name, frame []byte) ([]byte, error) {
	h.written.Write(name)
	return h.reply, h.err
}
func (h *fakeHost) Log(level int32, text []byte) error { h.written.Write(text); return h.err }
func (h *fakeHost) Write(fd int32, p []byte) error     { h.written.Write(p); return h.err }
func (h *fakeHost) Clock(wall bool) int64 {
	if wall {
		return 1000
	}
	return 100
}
func (h *fakeHost) Random(p []byte) error {
	h.random += len(p)
	for i := range p {
		p[i] = 0xaa
	}
	return h.err
}
func (h *fakeHost) Sleep(ns int64) error { h.slept = append(h.slept, ns); return h.err }

func testWorker(h *fakeHost) *Worker {
	return &Worker{linear: &linear{cur: make([]byte, PageSize)}, host: h}
}

// wasi calls a WASI function and returns its error number.
func wasi(w *Worker, name string, args ...uint64) uint64 {
	s := slices.Concat(args, make([]uint64, 1))
	wasiImports[name].fn(w, s)
	return s[0]
}

func TestPointersOutsideMemoryAreRefused(t *testing.T) {
	const end = PageSize
	for _, c := range []struct {
		name string
		args []uint64
		want uint64
	}{
		{"random_get", []uint64{end, 1}, efault},
		{"random_get", []uint64{end - 8, 8}, 0},
		{"random_get", []uint64{1<<32 - 1, 1<<32 - 1}, efault},
		{"clock_time_get", []uint64{0, 0, end - 7}, efault},
		{"clock_time_get", []uint64{1, 0, end - 8}, 0},
		{"clock_res_get", []uint64{0, end}, efault},
		{"args_sizes_get", []uint64{end, 0}, efault},
		{"args_sizes_get", []uint64{0, end}, efault},
		{"environ_sizes_get", []uint64{0, 4}, 0},
		{"fd_write", []uint64{1, end - 7, 1, 0}, efault},
		{"fd_write", []uint64{1, 0, maxIOVecs + 1, 0}, einval},
		{"fd_write", []uint64{3, 0, 1, 0}, ebadf},
		{"fd_write", []uint64{1, 0, 1, end}, efault},
		{"fd_read", []uint64{1, 0, 0, 0}, ebadf},
		{"fd_read", []uint64{0, 0, 0, end}, efault},
		{"fd_close", []uint64{2}, 0},
		{"fd_close", []uint64{3}, ebadf},
		{"fd_seek", []uint64{1, 0, 0, 0}, espipe},
		{"fd_fdstat_get", []uint64{1, end - 23}, efault},
		{"fd_fdstat_get", []uint64{9, 0}, ebadf},
		{"fd_prestat_get", []uint64{3, 0}, ebadf},
		{"poll_oneoff", []uint64{0, 0, 0, 0}, einval},
		{"poll_oneoff", []uint64{0, 0, maxSubscriptions + 1, 0}, einval},
		{"poll_oneoff", []uint64{end - 47, 0, 1, 0}, efault},
		{"poll_oneoff", []uint64{0, end - 31, 1, 0}, efault},
	} {
		if got := wasi(testWorker(&fakeHost{}), c.name, c.args...); got != c.want {
			t.Errorf("%s(%v) = %d, want %d", c.name, c.args, got, c.want)
		}
	}
	for name, args := range map[string][]uint64{
		"log":  {0, end, 1},
		"call": {1, 0, end - 1, 2, 0, 0},
		"take": {end + 1},
	} {
		func() {
			defer func() {
				s, ok := recover().(*stop)
				var trap *Trap
				if !ok || !errors.As(s.err, &trap) {
					t.Errorf("spore.%s with a bad pointer did not trap", name)
				}
			}()
			sporeImports[name].fn(testWorker(&fakeHost{}), args)
		}()
	}
}

func TestWrite(t *testing.T) {
	h := &fakeHost{}
	w := testWorker(h)
	mem := w.linear.cur
	copy(mem[100:], "hello, ")
	copy(mem[200:], "world\n")
	for i, v := range []uint32{100, 7, 200, 6} {
		binary.LittleEndian.PutUint32(mem[4*i:], v)
	}
	if e := wasi(w, "fd_write", 1, 0, 2, 64); e != 0 || h.written.String() != "hello, world\n" {
		t.Errorf("errno %d, wrote %q", e, h.written.String())
	}
	if n := binary.LittleEndian.Uint32(mem[64:]); n != 13 {
		t.Errorf("reported %d bytes", n)
	}
}

func TestPollSleepsUntilTheFirstClock(t *testing.T) {
	subscription := func(b []byte, userdata uint64, clock uint32, ns uint64, absolute uint16) {
		binary.LittleEndian.PutUint64(b, userdata)
		binary.LittleEndian.PutUint32(b[16:], clock)
		binary.LittleEndian.PutUint64(b[24:], ns)
		binary.LittleEndian.PutUint16(b[40:], absolute)
	}
	h := &fakeHost{}
	w := testWorker(h)
	mem := w.linear.cur
	subscription(mem, 1, 1, 500, 0)
	subscription(mem[48:], 2, 0, 1300, 1) // 300 from now
	subscription(mem[96:], 3, 1, 1<<63, 0)
	if e := wasi(w, "poll_oneoff", 0, 1000, 3, 2000); e != 0 {
		t.Fatalf("errno %d", e)
	}
	if !slices.Equal(h.slept, []int64{300}) || binary.LittleEndian.Uint64(mem[1000:]) != 2 || binary.LittleEndian.Uint32(mem[2000:]) != 1 {
		t.Errorf("slept %v, event of %d", h.slept, binary.LittleEndian.Uint64(mem[1000:]))
	}
	mem[8] = 1 // a file descriptor, which is never ready
	if e := wasi(w, "poll_oneoff", 0, 1000, 1, 2000); e != 0 || binary.LittleEndian.Uint16(mem[1008:]) != ebadf {
		t.Errorf("errno %d, event error %d", e, binary.LittleEndian.Uint16(mem[1008:]))
	}
}

func TestUnknownImports(t *testing.T) {
	for _, c := range []struct{ module, name string }{{"env", "f"}, {"spore", "exec"}, {"wasi_snapshot_preview1", "weird"}} {
		if _, err := hostFunction(c.module, c.name, nil, nil); err == nil {
			t.Errorf("%s.%s was linked", c.module, c.name)
		}
	}
	if _, err := hostFunction("spore", "tick", []byte{i32}, nil); err == nil {
		t.Error("spore.tick of another type was linked")
	}
	f, err := hostFunction("wasi_snapshot_preview1", "path_open", []byte{i32}, []byte{i32})
	if err != nil {
		t.Fatal(err)
	}
	s := []uint64{0}
	if f(nil, s); s[0] != enosys {
		t.Errorf("path_open returned %d", s[0])
	}
}

// FuzzImports calls host functions with arbitrary arguments on arbitrary
// memory. They may end the call, but never panic otherwise, and never ask the
// host to touch anything but guest memory.
func FuzzImports(f *testing.F) {
	table := maps.Clone(wasiImports)
	maps.Copy(table, sporeImports)
	names := slices.Sorted(maps.Keys(table))
	f.Add(uint8(0), uint64(1), uint64(0), uint64(2), uint64(64), []byte{100, 0, 0, 0, 7, 0, 0, 0})
	f.Add(uint8(20), uint64(1<<32-1), uint64(1<<32-4), uint64(4), uint64(1<<31), []byte{255, 255, 255, 255})
	for i := range names {
		f.Add(uint8(i), uint64(65530), uint64(8), uint64(65535), uint64(3), []byte("abcdefgh"))
	}
	f.Fuzz(func(t *testing.T, which uint8, a, b, c, d uint64, mem []byte) {
		w := testWorker(&fakeHost{reply: []byte("reply")})
		copy(w.linear.cur, mem)
		sig := table[names[int(which)%len(names)]]
		s := make([]uint64, max(len(sig.params), len(sig.results), 1))
		copy(s, []uint64{a, b, c, d, a, b})
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(*stop); !ok {
					panic(r)
				}
			}
		}()
		sig.fn(w, s)
	})
}
