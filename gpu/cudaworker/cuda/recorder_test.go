package cuda

import (
	"fmt"
	"slices"
	"unsafe"
)

// A recorder is a driver that computes nothing. It notes what it is asked for, does what is queued on streams late, and panics
// about what would be wrong with a device: memory that is not there, is freed too early or is not pinned. It
// can be told to fail.
type recorder struct {
	failAt int // number of the call that fails, from 1; 0 for none
	kind   errorKind
	slow   int // how often an event is asked for until it is done
	hang   bool
	gemms  bool

	calls   []string
	failed  bool
	in      []byte // what was copied to the device, all of it
	out     int    // bytes that were copied from the device: byte number i is i>>20
	next    uint64
	device_ map[uint64]int64 // device memory, by address
	host    map[uintptr][]byte
	streams map[stream]*queue
	events  map[event]*mark
	modules map[function]string
	peak    int64
	inUse   int64
}

type queue struct {
	ops  []func()
	done int
}

type mark struct {
	q     *queue
	until int
	asked int
}

func newRecorder() *recorder {
	return &recorder{next: 1 << 60, device_: map[uint64]int64{}, host: map[uintptr][]byte{}, streams: map[stream]*queue{},
		events: map[event]*mark{}, modules: map[function]string{}, gemms: true}
}

// call notes a call and fails if it is its turn.
func (r *recorder) call(format string, args ...any) error {
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
	if r.failed && r.kind == fatal {
		panic("a call after one that was fatal: " + r.calls[len(r.calls)-1])
	}
	if len(r.calls) == r.failAt {
		r.failed = true
		return &driverError{call: r.calls[len(r.calls)-1], code: 1000, text: "injected", kind: r.kind}
	}
	return nil
}

func (r *recorder) id() uint64 { r.next += 1 << 40; return r.next }

func (r *recorder) device() deviceInfo {
	return deviceInfo{name: "recorder", arch: "sm_90", memory: 1 << 34}
}
func (r *recorder) compiler() string { return "recorder" }
func (r *recorder) canGemm() bool    { return r.gemms }

func (r *recorder) memAlloc(n int64) (devPtr, error) {
	if err := r.call("alloc %d", n); err != nil {
		return 0, err
	}
	p := r.id()
	r.device_[p] = n
	r.inUse += n
	r.peak = max(r.peak, r.inUse)
	return devPtr(p), nil
}

func (r *recorder) memFree(p devPtr) error {
	for _, q := range r.streams {
		q.run(len(q.ops)) // CUDA waits for what was begun
	}
	n, ok := r.device_[uint64(p)]
	if !ok {
		panic("device memory is freed that is not there")
	}
	delete(r.device_, uint64(p))
	r.inUse -= n
	return r.call("free %d", n)
}

func (r *recorder) memInfo() (free, total int64, err error) {
	return 1<<34 - r.inUse, 1 << 34, r.call("memInfo")
}

// check panics if there is no device memory at an address.
func (r *recorder) check(p, n uint64) {
	for at, size := range r.device_ {
		if p >= at && p+n <= at+uint64(size) {
			return
		}
	}
	panic(fmt.Sprintf("%d bytes of the device at %#x are not there", n, p))
}

// pinned panics if memory of the host is not pinned.
func (r *recorder) pinned(b []byte) {
	p := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	for at, h := range r.host {
		if p >= at && p+uintptr(len(b)) <= at+uintptr(len(h)) {
			return
		}
	}
	panic("memory of the host is not pinned")
}

func (r *recorder) hostAlloc(n int) ([]byte, error) {
	if err := r.call("hostAlloc"); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	r.host[uintptr(unsafe.Pointer(&b[0]))] = b
	return b, nil
}

func (r *recorder) hostFree(b []byte) error {
	r.pinned(b)
	delete(r.host, uintptr(unsafe.Pointer(&b[0])))
	return r.call("hostFree")
}

func (r *recorder) register(b []byte) error {
	if err := r.call("register %d", len(b)); err != nil {
		return err
	}
	r.host[uintptr(unsafe.Pointer(&b[0]))] = b
	return nil
}

func (r *recorder) unregister(b []byte) error {
	delete(r.host, uintptr(unsafe.Pointer(&b[0])))
	return r.call("unregister")
}

func (r *recorder) newStream() (stream, error) {
	if err := r.call("newStream"); err != nil {
		return 0, err
	}
	s := stream(r.id())
	r.streams[s] = &queue{}
	return s, nil
}

func (r *recorder) freeStream(s stream) error {
	q := r.streams[s]
	q.run(len(q.ops))
	delete(r.streams, s)
	return r.call("freeStream")
}

func (r *recorder) newEvent() (event, error) {
	if err := r.call("newEvent"); err != nil {
		return 0, err
	}
	e := event(r.id())
	r.events[e] = &mark{}
	return e, nil
}

func (r *recorder) freeEvent(e event) error {
	delete(r.events, e)
	return r.call("freeEvent")
}

func (r *recorder) record(e event, s stream) error {
	if err := r.call("record"); err != nil {
		return err
	}
	*r.events[e] = mark{q: r.streams[s], until: len(r.streams[s].ops)}
	return nil
}

func (r *recorder) query(e event) (bool, error) {
	m := r.events[e]
	if r.hang {
		return false, nil
	}
	if m.asked++; m.asked <= r.slow {
		return false, nil
	}
	if err := r.call("done"); err != nil {
		return false, err
	}
	m.q.run(m.until)
	return true, nil
}

// run does what was queued.
func (q *queue) run(until int) {
	for q.done < until {
		q.ops[q.done]()
		q.done++
	}
}

func (r *recorder) push(s stream, f func()) { r.streams[s].ops = append(r.streams[s].ops, f) }

func (r *recorder) copyIn(dst devPtr, src []byte, s stream) error {
	if err := r.call("in %d", len(src)); err != nil {
		return err
	}
	now := slices.Clone(src)
	r.push(s, func() {
		r.check(uint64(dst), uint64(len(src)))
		r.pinned(src)
		if !slices.Equal(now, src) {
			panic("memory that is being copied to the device was written to")
		}
		r.in = append(r.in, src...)
	})
	return nil
}

func (r *recorder) copyOut(dst []byte, src devPtr, s stream) error {
	if err := r.call("out %d", len(dst)); err != nil {
		return err
	}
	r.push(s, func() {
		r.check(uint64(src), uint64(len(dst)))
		r.pinned(dst)
		for i := range dst {
			dst[i] = byte(r.out >> 20)
			r.out++
		}
	})
	return nil
}

func (r *recorder) fill(dst devPtr, b byte, n int64, s stream) error {
	if err := r.call("fill %d %d", b, n); err != nil {
		return err
	}
	r.push(s, func() { r.check(uint64(dst), uint64(n)) })
	return nil
}

func (r *recorder) compile(source string) ([]byte, error) { return []byte(source), nil }

func (r *recorder) load(code []byte) (function, error) {
	if err := r.call("load"); err != nil {
		return 0, err
	}
	f := function(r.id())
	r.modules[f] = string(code)
	return f, nil
}

func (r *recorder) unload(f function) error {
	if _, ok := r.modules[f]; !ok {
		panic("a kernel is unloaded that is not there")
	}
	for _, q := range r.streams {
		if q.done < len(q.ops) {
			panic("a kernel is unloaded while the device works")
		}
	}
	delete(r.modules, f)
	return r.call("unload")
}

func (r *recorder) launch(f function, blocks, threads int, words []uint64, s stream) error {
	if err := r.call("launch %d %d", blocks, threads); err != nil {
		return err
	}
	words = slices.Clone(words)
	r.push(s, func() {
		if _, ok := r.modules[f]; !ok {
			panic("a kernel is launched that is not there")
		}
		for _, w := range words {
			if w >= 1<<60 && w < 1<<61 { // an address, by its size
				r.check(w, 1)
			}
		}
	})
	return nil
}

func (r *recorder) gemm(g *gemm, s stream) error {
	if err := r.call("gemm"); err != nil {
		return err
	}
	c := *g
	r.push(s, func() {
		r.check(uint64(c.a), 1)
		r.check(uint64(c.b), 1)
		r.check(uint64(c.c), 1)
	})
	return nil
}

func (r *recorder) close() error { return r.call("close") }

// left says what was not given back.
func (r *recorder) left() string {
	return fmt.Sprintf("%d of device memory, %d of pinned memory, %d streams, %d events, %d kernels",
		len(r.device_), len(r.host), len(r.streams), len(r.events), len(r.modules))
}

const nothingLeft = "0 of device memory, 0 of pinned memory, 0 streams, 0 events, 0 kernels"
