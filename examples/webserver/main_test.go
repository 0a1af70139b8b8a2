package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// start runs the program on a free port. stop ends it as a signal does and
// waits until it has ended.
func start(t *testing.T) (url string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, ln, slog.New(slog.DiscardHandler)) }()
	return "http://" + ln.Addr().String(), func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

// fetch returns the page at url, over a connection of its own.
func fetch(url string) (status int, body string, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	url, stop := start(t)
	type answer struct {
		status int
		body   string
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		// The loop runs for 100 ms, until its limit stops it.
		var a answer
		a.status, a.body, a.err = fetch(url + "/loop")
		answers <- a
	}()
	for running := false; !running; { // the metrics tell when the loop has begun
		_, metrics, err := fetch(url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		running = strings.Contains(metrics, "\nspore_calls_total 1\n")
	}
	stop()
	a := <-answers
	if a.err != nil || a.status != http.StatusInternalServerError || !strings.Contains(a.body, "Limit exceeded") {
		t.Errorf("status %d, error %v:\n%s", a.status, a.err, a.body)
	}
	if _, _, err := fetch(url); err == nil {
		t.Error("the server still answers")
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	visit := func() {
		url, stop := start(t)
		defer stop()
		for _, path := range []string{"/", "/energy", "/jobs", "/error", "/loop", "/memory", "/hostile", "/metrics"} {
			if _, _, err := fetch(url + path); err != nil {
				t.Error(err)
			}
		}
	}
	visit() // what a process makes only once is no leak
	before := usage(t)
	for range 3 {
		visit()
	}
	// Goroutines and connections end a moment after they are no longer needed.
	deadline := time.Now().Add(10 * time.Second)
	for {
		after := usage(t)
		if after.goroutines <= before.goroutines && after.files <= before.files && after.mappings <= before.mappings {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("before %+v, after three more servers %+v", before, after)
		}
		runtime.Gosched()
	}
}

// resources of this process. Files and mappings are 0 where the system does
// not tell. Of the mappings only those of guest memory and of compiled code
// count: Go's heap has as many as it likes.
type resources struct{ goroutines, files, mappings int }

func usage(t *testing.T) resources {
	t.Helper()
	runtime.GC()
	r := resources{goroutines: runtime.NumGoroutine()}
	if runtime.GOOS != "linux" {
		return r
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	r.files = len(files)
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line) // address, permissions, offset, device, inode, path
		if strings.Contains(line, "memfd:") || len(f) == 5 && strings.Contains(f[1], "x") {
			r.mappings++
		}
	}
	return r
}
