package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// samples are durations of the same work, in the order they were taken.
type samples []time.Duration

// p returns a percentile by the nearest rank: a value that was measured, never
// one between two. Few samples make p(99) the largest.
func (s samples) p(percent float64) time.Duration {
	return percentile(s, percent)
}

func percentile[T cmp.Ordered](values []T, percent float64) T {
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// format prints d with three significant digits and a unit that fits.
func format(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return significant(float64(d)/float64(time.Microsecond)) + " µs"
	case d < time.Second:
		return significant(float64(d)/float64(time.Millisecond)) + " ms"
	}
	return significant(d.Seconds()) + " s"
}

// significant prints three digits of x, and all of those before the point.
func significant(x float64) string {
	digits := 2
	if x > 0 {
		digits = min(max(2-int(math.Floor(math.Log10(x))), 0), 3)
	}
	return fmt.Sprintf("%.*f", digits, x)
}

// ratio prints a / b.
func ratio(a, b time.Duration) string {
	return significant(float64(a)/float64(b)) + "×"
}

// mebibytes prints a size.
func mebibytes(bytes int64) string {
	return significant(float64(bytes)/(1<<20)) + " MiB"
}
