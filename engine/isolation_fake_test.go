package engine_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sporeengine/spore/engine"
)

// fakeWorker is the name by which the test's program knows that it is to be a bad
// worker process. The next argument says in which way.
const fakeWorker = "spore-fake-worker"

// runFakeWorker does what no worker process does.
func runFakeWorker(way string) int {
	switch way {
	case "exit":
		fmt.Fprintln(os.Stderr, "panic: no such luck")
		return 3
	case "silent":
		time.Sleep(time.Hour)
	case "noise":
		for {
			if _, err := os.Stdout.WriteString(strings.Repeat("noise\n", 1000)); err != nil {
				return 1
			}
		}
	case "garbage":
		os.Stdout.Write(engine.Greeting)
		os.Stdout.WriteString("\x10\x00\x00\x00\x06not JSON at all!")
	case "long":
		os.Stdout.Write(engine.Greeting)
		os.Stdout.WriteString("\xff\xff\xff\x7f\x06")
	case "early":
		os.Stdout.Write(engine.Greeting)
		os.Stdout.WriteString("\x00\x00\x00\x00\x09")
	case "refuse":
		os.Stdout.Write(engine.Greeting)
		fmt.Fprintf(os.Stdout, "\x13\x00\x00\x00\x06%s", `{"error":"too bad"}`)
	}
	time.Sleep(time.Minute)
	return 0
}
