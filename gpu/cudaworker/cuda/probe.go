package cuda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// What gpu/devicecheck asks of a device beside evaluations.

// DeviceMemory returns how much memory of the device is free, and how much it has, in bytes. All processes that use the device count.
func (b *Backend) DeviceMemory() (free, total int64, err error) {
	err = b.exec.do(func() (err error) { free, total, err = b.d.memInfo(); return err })
	return free, total, err
}

// Rates are how fast data get to the device and back: bytes a second, 0 for what could not be measured.
type Rates struct {
	Pinned, PinnedBack float64       // of memory that CUDA has allocated
	Registered         float64       // of memory that was there and was registered
	Register           time.Duration // what registering took
	RegisterError      error         // why it could not be
	Staged             float64       // of any memory, through the staging of a lane
}

// CopyRates measures copies of memory, which must not be empty: five of each, of which the fastest counts. The memory should be shared
// with another process, as that of a worker is.
func (b *Backend) CopyRates(memory []byte) (r Rates, err error) {
	l := <-b.lanes
	defer func() { b.lanes <- l }()
	ctx := context.Background()
	var device block
	var pinned []byte
	l.allocate(&device, int64(len(memory)), 0)
	l.push(0, func() (err error) { pinned, err = b.d.hostAlloc(len(memory)); return err })
	defer func() {
		err = l.finish(err)
		err = errors.Join(err, b.exec.do(func() error {
			if device.ptr != 0 {
				b.alloc.release(device)
			}
			if pinned != nil {
				return b.d.hostFree(pinned)
			}
			return nil
		}))
	}()
	timed := func(queue func() error) (float64, error) {
		best := 0.0
		for range 5 {
			start := time.Now()
			if err := queue(); err != nil {
				return 0, err
			}
			if err := l.sync(ctx); err != nil {
				return 0, err
			}
			best = max(best, float64(len(memory))/time.Since(start).Seconds())
		}
		return best, nil
	}
	push := func(f func() error) func() error { return func() error { l.push(0, f); return nil } }
	if _, err = timed(push(func() error { return nil })); err != nil { // what was queued above
		return r, err
	}
	if r.Pinned, err = timed(push(func() error { return b.d.copyIn(device.ptr, pinned, l.stream) })); err != nil {
		return r, err
	}
	if r.PinnedBack, err = timed(push(func() error { return b.d.copyOut(pinned, device.ptr, l.stream) })); err != nil {
		return r, err
	}
	if r.Staged, err = timed(func() error { return l.copyIn(ctx, func() devPtr { return device.ptr }, memory) }); err != nil {
		return r, err
	}
	start := time.Now()
	if r.RegisterError = b.exec.do(func() error { return b.d.register(memory) }); r.RegisterError != nil {
		return r, nil
	}
	r.Register = time.Since(start)
	r.Registered, err = timed(push(func() error { return b.d.copyIn(device.ptr, memory, l.stream) }))
	return r, errors.Join(err, b.exec.do(func() error { return b.d.unregister(memory) }))
}

// Fault runs a kernel that writes where no memory is. The context of the process cannot be used after that, so that the process ends, as after
// any such error, and Fault does not return; or it returns what the device said if Options has something else done.
func (b *Backend) Fault(ctx context.Context) error {
	s := newSource(1)
	s.printf("EACH_THREAD(i) { *(volatile u32 *)%s = 1; }\n", s.num(16))
	b.kernels.begin()
	defer b.kernels.end()
	f, err := b.kernels.get(ctx, []string{s.text()})
	if err != nil {
		return err
	}
	l := <-b.lanes
	defer func() { b.lanes <- l }()
	l.push(0, func() error { return b.d.launch(f[0], 1, threads, s.words, l.stream) })
	return l.finish(l.sync(ctx))
}

// CheckZeroing has one tenant fill memory and another one get it, and reads what the second one sees.
func (b *Backend) CheckZeroing(n int) error {
	l := <-b.lanes
	defer func() { b.lanes <- l }()
	ctx := context.Background()
	run := func(tenant uint64, f func(x *block) error) (err error) {
		var x block
		l.allocate(&x, int64(n), tenant)
		if err = f(&x); err == nil {
			err = l.sync(ctx)
		}
		err = l.finish(err)
		return errors.Join(err, b.exec.do(func() error {
			if x.ptr != 0 {
				b.alloc.release(x)
			}
			return nil
		}))
	}
	first := devPtr(0)
	if err := run(1, func(x *block) error {
		l.push(0, func() error { first = x.ptr; return b.d.fill(x.ptr, 0xab, int64(n), l.stream) })
		return nil
	}); err != nil {
		return err
	}
	seen, second := bytes.Repeat([]byte{0xff}, n), devPtr(0)
	if err := run(2, func(x *block) error {
		l.push(0, func() error { second = x.ptr; return nil })
		return l.copyOut(ctx, seen, func() devPtr { return x.ptr })
	}); err != nil {
		return err
	}
	if first != second {
		return errors.New("cuda: the second tenant got other memory, so nothing was tested")
	}
	if i := bytes.IndexFunc(seen, func(r rune) bool { return r != 0 }); i >= 0 {
		return fmt.Errorf("cuda: byte %d of another tenant's memory is %#x", i, seen[i])
	}
	return nil
}
