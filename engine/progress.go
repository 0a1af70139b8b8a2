package engine

import (
	"fmt"
	"os"
	"time"
)

// Progress reports first-time work on a runtime that may take seconds.
type Progress struct {
	Language string
	Stage    string // "compile" to machine code, or "boot" the interpreter
	Done     bool   // false when the work begins
	Elapsed  time.Duration
}

// terminalProgress returns the default for Config.Progress: a line on standard
// error for the stage that takes seconds, if a person may be watching.
func terminalProgress() func(Progress) {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(Progress) {}
	}
	return func(p Progress) {
		if p.Stage != stageCompile {
			return
		}
		if !p.Done {
			fmt.Fprintf(os.Stderr, "spore: compiling the %s runtime, once ... ", p.Language)
			return
		}
		fmt.Fprintf(os.Stderr, "%.1f s\n", p.Elapsed.Seconds())
	}
}

const (
	stageCompile = "compile"
	stageBoot    = "boot"
)

// progress reports the beginning of a stage and returns a function that
// reports its end.
func (e *Engine) progress(language, stage string) func() {
	start := time.Now()
	e.cfg.Progress(Progress{Language: language, Stage: stage})
	return func() {
		e.cfg.Progress(Progress{Language: language, Stage: stage, Done: true, Elapsed: time.Since(start)})
	}
}
