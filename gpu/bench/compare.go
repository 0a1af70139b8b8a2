package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A way is one of several to do the same.
type way struct {
	name  string
	calls int // in a row
	do    func() error
}

// compare has ways take turns, in an order that changes, and prints how long each takes and how many times as fast as the first it is. The
// proportion is taken in each round, of medians, and then the median of these: what slows the machine down for a while slows all of a round. How far
// rounds differ is printed beside it.
func compare(rounds int, ways []way) error {
	all, medians := make([]times, len(ways)), make([][]float64, len(ways))
	for round := range rounds + 1 {
		for _, i := range rand.Perm(len(ways)) { // who comes first finds the caches cold
			var t times
			if err := t.add(ways[i].calls, ways[i].do); err != nil {
				return err
			}
			if round > 0 { // the first is for warming up
				all[i] = append(all[i], t...)
				medians[i] = append(medians[i], micros(t.quantile(.5)))
			}
		}
	}
	for i, w := range ways {
		fmt.Printf("  %-29s %v", w.name, all[i])
		if i > 0 {
			fmt.Printf("  %s times as fast", proportion(medians[0], medians[i]))
		}
		fmt.Println()
	}
	return nil
}

// proportion describes x[i]/y[i] over all rounds i: the median, and what eight of ten are between.
func proportion(x, y []float64) string {
	p := make([]float64, len(x))
	for i := range p {
		p[i] = x[i] / y[i]
	}
	slices.Sort(p)
	at := func(share float64) float64 { return p[int(float64(len(p)-1)*share+.5)] }
	return fmt.Sprintf("%6.1f (%.1f to %.1f)", at(.5), at(.1), at(.9))
}

// times are how long something took, again and again.
type times []time.Duration

// add calls f n times.
func (t *times) add(n int, f func() error) error {
	for range n {
		begin := time.Now()
		if err := f(); err != nil {
			return err
		}
		*t = append(*t, time.Since(begin))
	}
	return nil
}

// quantile returns the time that a share of all is below.
func (t times) quantile(share float64) time.Duration {
	s := slices.Sorted(slices.Values(t))
	return s[int(float64(len(s)-1)*share)]
}

func (t times) String() string {
	return fmt.Sprintf("best %8.1f µs  p50 %8.1f µs  p99 %8.1f µs", micros(t.quantile(0)), micros(t.quantile(.5)), micros(t.quantile(.99)))
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
