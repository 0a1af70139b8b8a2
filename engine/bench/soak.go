package main

import (
	"context"
	"fmt"
	"runtime/debug"
)

// soak renders each component very often and looks whether anything grows.
func (b *bench) soak(ctx context.Context) error {
	renders, edge := b.count(100_000, 100), b.count(10_000, 10)
	sec := b.report.section("Many renders",
		fmt.Sprintf("%d renders of the component of each language, one after another. Times are p50 of the first and of the last %d. "+
			"Memory is what the process holds before and after, the Go heap collected both times: anonymous memory, and resident "+
			"memory, which counts pages of images that guests share.", renders, edge),
		"language", "restore, first", "last", "render, first", "last", "anonymous, before", "after", "resident, before", "after")
	for _, s := range b.subjects {
		// The samples' own memory is there from the beginning.
		whole, around := make(samples, renders), make(samples, renders)
		for i := range whole {
			whole[i], around[i] = 1, 1
		}
		anonymousBefore, residentBefore := settledMemory()
		for i := range renders {
			r, err := s.component.render(ctx)
			if err != nil {
				return fmt.Errorf("render %d: %w", i, err)
			}
			whole[i], around[i] = r.whole, r.around
		}
		anonymousAfter, residentAfter := settledMemory()
		if anonymousBefore == "" {
			b.report.skip(s.name+": memory before and after many renders", "this system has no /proc/self/status")
		}
		sec.row(s.name, format(around[:edge].p(50)), format(around[renders-edge:].p(50)),
			format(whole[:edge].p(50)), format(whole[renders-edge:].p(50)),
			anonymousBefore, anonymousAfter, residentBefore, residentAfter)
	}
	return nil
}

// settledMemory returns the process's memory without garbage.
func settledMemory() (anonymous, resident string) {
	debug.FreeOSMemory()
	return processMemory("RssAnon"), processMemory("VmRSS")
}
