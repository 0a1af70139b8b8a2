package main

import (
	"fmt"
	"io"
	"time"
)

// A table is what is printed, and what has come out so far.
type table struct {
	w                               io.Writer
	opened                          time.Duration // how long opening the device took
	passed, missed, failed, skipped int
}

const row = "| %-2s | %-52s | %-14s | %-14s | %-8s | %-10s | %s |\n"

func (t *table) head() {
	fmt.Fprintf(t.w, row, "", "check", "ours", "peer", "ratio", "goal", "")
	fmt.Fprintf(t.w, row, "--", "---", "---", "---", "---", "---", "---")
}

// pass notes something that holds, with what was found.
func (t *table) pass(letter, what, found string) {
	t.passed++
	fmt.Fprintf(t.w, row, letter, what, found, "", "", "", "ok")
}

// fail notes something that does not.
func (t *table) fail(letter, what string, err error) bool {
	t.failed++
	fmt.Fprintf(t.w, row, letter, what, "", "", "", "", "FAILED: "+oneLine(err))
	return false
}

func (t *table) skip(letter, what, why string) {
	t.skipped++
	fmt.Fprintf(t.w, row, letter, what, "", "", "", "", "skipped: "+why)
}

// ratio notes two numbers whose ratio has a goal. quick runs have none.
func (t *table) ratio(letter, what, ours, peer string, ratio float64, goal float64, quick bool) {
	verdict := "ok"
	switch {
	case quick:
		verdict = "quick"
		t.passed++
	case ratio >= goal:
		t.passed++
	default:
		verdict = "MISSED"
		t.missed++
	}
	fmt.Fprintf(t.w, row, letter, what, ours, peer, fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≥ %.2f", goal), verdict)
}

// end prints the sums and tells whether nothing has failed. A goal that was missed is no failure.
func (t *table) end() bool {
	fmt.Fprintf(t.w, "\n%d passed, %d goals missed, %d failed, %d skipped\n", t.passed, t.missed, t.failed, t.skipped)
	return t.failed == 0
}

func gigabytes(rate float64) string { return fmt.Sprintf("%.1f GB/s", rate/1e9) }

func short(seconds float64) string {
	return time.Duration(seconds * 1e9).Round(100 * time.Nanosecond).String()
}
