package cpu

import (
	"context"
	"sync"
	"sync/atomic"
)

// parallel calls work(i) for i from 0 to n-1, on the caller's goroutine and up to procs-1 others, which have done their last when it returns. When ctx is
// done it calls no more and returns ctx's error. A panic of work comes out of parallel.
func parallel(ctx context.Context, procs, n int, work func(i int)) error {
	procs = min(procs, n)
	if procs <= 1 { // most operations are small: nothing to share, and nothing on the heap for it
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			work(i)
		}
		return ctx.Err()
	}
	var next atomic.Int64
	var once sync.Once
	var broken any
	run := func() {
		defer func() {
			if r := recover(); r != nil {
				once.Do(func() { broken = r })
				next.Store(int64(n)) // the others stop
			}
		}()
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			work(i)
		}
	}
	var others sync.WaitGroup
	for range procs - 1 {
		others.Go(run)
	}
	run() // it does not have to be woken
	others.Wait()
	if broken != nil {
		panic(broken)
	}
	return ctx.Err()
}

// spans calls work for parts of 0 to n of about grain units each.
func spans(ctx context.Context, procs, n, grain int, work func(start, end int)) error {
	grain = max(grain, 1)
	return parallel(ctx, procs, (n+grain-1)/grain, func(i int) {
		work(i*grain, min(n, (i+1)*grain))
	})
}
