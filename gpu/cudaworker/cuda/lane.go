package cuda

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/sporeengine/spore/gpu/tensor"
)

// stagingBytes is the pinned memory of a lane. Data go through it, as the device cannot read what is not pinned.
const stagingBytes = 8 << 20

// backlogMicros is how much work is given to the device before it is waited for, by estimate: what was given cannot be taken back when a call is
// canceled.
const backlogMicros = 5000

// A lane runs one evaluation at a time, on a stream of its own.
//
// What is to be done is queued, in order, as functions; sync has the executor call them, one after the other, and waits for the
// device. Memory that the device reads or writes is used again only after that.
type lane struct {
	b       *Backend
	stream  stream
	event   event
	staging []byte
	used    int // bytes of staging that the device may be reading or writing

	queue  []func() error
	after  []func() // to be called when the device is done with what was queued: copies out of staging
	micros float64  // of work that was queued
	behind bool     // there is work of the device that was not waited for
}

func newLane(b *Backend) (*lane, error) {
	l := &lane{b: b}
	err := b.exec.do(func() (err error) {
		if l.stream, err = b.d.newStream(); err != nil {
			return err
		}
		if l.event, err = b.d.newEvent(); err != nil {
			return err
		}
		l.staging, err = b.d.hostAlloc(stagingBytes)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, b.exec.do(l.close))
	}
	return l, nil
}

// close gives all back. It is called on the executor.
func (l *lane) close() error {
	var errs []error
	if l.staging != nil {
		errs = append(errs, l.b.d.hostFree(l.staging))
	}
	if l.event != 0 {
		errs = append(errs, l.b.d.freeEvent(l.event))
	}
	if l.stream != 0 {
		errs = append(errs, l.b.d.freeStream(l.stream))
	}
	return errors.Join(errs...)
}

// A run is an evaluation.
type run struct {
	p         *tensor.Program
	plan      *plan
	functions []function
	inputs    [][]byte
	constants []*stored
	outputs   [][]byte
	tenant    uint64

	block   block
	reports []byte // of the checks
}

// address returns where a byte of a buffer is.
func (r *run) address(f fixup) uint64 {
	b := &r.plan.buffers[f.buf]
	if b.constant >= 0 {
		return uint64(r.constants[b.constant].block.ptr) + uint64(f.offset)
	}
	return uint64(r.block.ptr) + uint64(b.offset+f.offset)
}

// eval runs r. When it returns, the device is done with all that belongs to the run.
func (l *lane) eval(ctx context.Context, r *run) (err error) {
	if r.plan.bytes > 0 {
		l.allocate(&r.block, r.plan.bytes, r.tenant)
	}
	defer func() {
		err = l.finish(err)
		if r.block.ptr != 0 {
			// Nobody waits for it: what is allocated later comes after it.
			l.b.exec.start(func() error { l.b.alloc.release(r.block); return nil })
		}
	}()
	for i, buf := range r.plan.inputs {
		if err := l.copyIn(ctx, func() devPtr { return devPtr(r.address(fixup{buf: buf})) }, r.inputs[i]); err != nil {
			return err
		}
	}
	for i := range r.plan.steps {
		if err := l.step(ctx, r, &r.plan.steps[i]); err != nil {
			return err
		}
	}
	if n := len(r.plan.checks); n > 0 {
		r.reports = make([]byte, n*errorBytes)
		if err := l.copyOut(ctx, r.reports, func() devPtr { return devPtr(r.address(fixup{buf: r.plan.errors})) }); err != nil {
			return err
		}
	}
	for i, o := range r.plan.outputs {
		if err := l.copyOut(ctx, r.outputs[i], func() devPtr { return devPtr(r.address(fixup{buf: o.buf, offset: o.offset})) }); err != nil {
			return err
		}
	}
	if err := l.sync(ctx); err != nil {
		return err
	}
	for i, node := range r.plan.checks {
		report := r.reports[i*errorBytes:]
		if binary.LittleEndian.Uint64(report) != 0 {
			return indexError(r.p, node, int64(binary.LittleEndian.Uint64(report[8:])))
		}
	}
	return nil
}

// allocate queues that a block is allocated, and cleaned if another tenant may have written to it.
func (l *lane) allocate(b *block, bytes int64, tenant uint64) {
	l.push(0, func() error {
		got, dirty, err := l.b.alloc.alloc(bytes, tenant)
		if err != nil {
			return err
		}
		*b = got
		value := byte(0)
		if l.b.options.Poison {
			value, dirty = 0xff, true
		}
		if dirty {
			return l.b.d.fill(b.ptr, value, bytes, l.stream)
		}
		return nil
	})
}

// put makes a block of data.
func (l *lane) put(ctx context.Context, data []byte) (b block, err error) {
	l.allocate(&b, max(int64(len(data)), 1), 0)
	err = l.copyIn(ctx, func() devPtr { return b.ptr }, data)
	if err == nil {
		err = l.sync(ctx)
	}
	if err = l.finish(err); err != nil && b.ptr != 0 {
		l.b.exec.start(func() error { l.b.alloc.release(b); return nil })
	}
	return b, err
}

// push queues f, after which the device has so much more to do.
func (l *lane) push(micros float64, f func() error) {
	l.queue = append(l.queue, f)
	l.micros += micros
}

// sync has the executor do what is queued and waits until the device is done with it. When ctx is done it waits for the grace; then the
// process is to end.
func (l *lane) sync(ctx context.Context) error {
	queue := l.queue
	l.queue = nil
	l.behind = true
	done := l.b.exec.startAndWait(func() error {
		for _, f := range queue {
			if err := f(); err != nil {
				return err
			}
		}
		return l.b.d.record(l.event, l.stream)
	}, l.event)
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = l.lastly(done)
	}
	if err != nil {
		return err // finish waits for what was begun
	}
	for _, f := range l.after {
		f()
	}
	l.behind, l.after, l.used, l.micros = false, nil, 0, 0
	return ctx.Err()
}

// errStuck: the device does not end its work. What it still writes to must not be used again, so it is an end of all.
var errStuck = &driverError{call: "device", text: "work did not end within the grace", kind: fatal}

// lastly waits for the device, for the grace.
func (l *lane) lastly(done <-chan error) error {
	timer := time.NewTimer(l.b.options.Grace)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
	}
	l.b.exec.kill(errStuck)
	return errStuck
}

// finish leaves a lane that can be used again after err, if anything can.
func (l *lane) finish(err error) error {
	l.queue, l.after = nil, nil
	if l.behind {
		e := l.lastly(l.b.exec.startAndWait(func() error { return l.b.d.record(l.event, l.stream) }, l.event))
		if e != nil && e != err {
			err = errors.Join(err, e)
		}
	}
	l.behind, l.used, l.micros = false, 0, 0
	return err
}

// room returns n bytes of staging, at most, that the device does not use.
func (l *lane) room(ctx context.Context, n int) ([]byte, error) {
	if l.used == len(l.staging) {
		if err := l.sync(ctx); err != nil {
			return nil, err
		}
	}
	n = min(n, len(l.staging)-l.used)
	b := l.staging[l.used : l.used+n : l.used+n]
	l.used = min((l.used+n+63)&^63, len(l.staging))
	return b, nil
}

// copyIn queues copies of data to the device. dst is asked when they are made, as it may not be known before.
func (l *lane) copyIn(ctx context.Context, dst func() devPtr, data []byte) error {
	for at := 0; at < len(data); {
		part, err := l.room(ctx, len(data)-at)
		if err != nil {
			return err
		}
		copy(part, data[at:])
		offset := devPtr(at)
		l.push(microsOf(len(part)), func() error { return l.b.d.copyIn(dst()+offset, part, l.stream) })
		at += len(part)
	}
	return nil
}

// copyOut queues copies from the device to data, which has them after sync.
func (l *lane) copyOut(ctx context.Context, data []byte, src func() devPtr) error {
	for at := 0; at < len(data); {
		part, err := l.room(ctx, len(data)-at)
		if err != nil {
			return err
		}
		offset, to := devPtr(at), data[at:]
		l.push(microsOf(len(part)), func() error { return l.b.d.copyOut(part, src()+offset, l.stream) })
		l.after = append(l.after, func() { copy(to, part) })
		at += len(part)
	}
	return nil
}

// microsOf is what copying so many bytes takes at 10 GB/s.
func microsOf(bytes int) float64 { return float64(bytes) / 1e4 }

// step queues a step, large launches in parts.
func (l *lane) step(ctx context.Context, r *run, s *step) error {
	d := l.b.d
	switch {
	case s.gemm != nil:
		l.push(s.micros, func() error {
			g := *s.gemm
			g.a, g.b, g.c = devPtr(r.address(s.a)), devPtr(r.address(s.b)), devPtr(r.address(s.c))
			return d.gemm(&g, l.stream)
		})
	case s.kernel < 0:
		l.push(1, func() error {
			return d.fill(devPtr(r.address(fixup{buf: s.zero})), 0, r.plan.buffers[s.zero].bytes, l.stream)
		})
	default:
		parts := int64(s.micros/backlogMicros) + 1
		each := max((s.items+parts-1)/parts, 1)
		for lo := int64(0); lo < s.items; lo += each {
			hi := min(lo+each, s.items)
			l.push(s.micros/float64(parts), func() error { return l.launch(r, s, lo, hi) })
			if err := l.throttle(ctx); err != nil {
				return err
			}
		}
	}
	return l.throttle(ctx)
}

// throttle waits for the device if it has much to do.
func (l *lane) throttle(ctx context.Context) error {
	if l.micros < backlogMicros {
		return nil
	}
	return l.sync(ctx)
}

// launch starts a kernel for some of its items.
func (l *lane) launch(r *run, s *step, lo, hi int64) error {
	const mostBlocks = 1 << 20
	var words [maxWords + 32]uint64
	n := copy(words[:], s.words)
	if n < len(s.words) {
		return fmt.Errorf("cuda: a kernel with %d parameters", len(s.words))
	}
	for _, f := range s.fixes {
		words[f.word] = r.address(f)
	}
	words[0], words[1] = uint64(lo), uint64(hi)
	blocks := hi - lo
	if !s.block {
		blocks = (blocks + int64(s.threads) - 1) / int64(s.threads)
	}
	return l.b.d.launch(r.functions[s.kernel], int(min(blocks, mostBlocks)), s.threads, words[:n], l.stream)
}
