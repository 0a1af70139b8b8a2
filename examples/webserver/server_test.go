package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// fixed makes the card reproducible.
var fixed = &engine.Fixed{Now: time.Date(2026, 5, 17, 9, 30, 0, 0, time.UTC), Seed: 1}

// newTestServer returns the handler of a server, whose engine is closed when
// the test ends.
func newTestServer(t *testing.T, fixed *engine.Fixed) (*server, http.Handler) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	eng, err := newEngine(log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := newServer(t.Context(), eng, log)
	if err != nil {
		t.Fatal(err)
	}
	s.fixed = fixed
	return s, s.handler()
}

func get(h http.Handler, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	return w
}

// timings matches what differs from render to render, in a page or header.
var timings = regexp.MustCompile(`\d+\.\d{3}`)

func withoutTimings(s string) string { return timings.ReplaceAllString(s, "0.000") }

// body returns the page at url without what differs from render to render.
func body(h http.Handler, url string) string {
	html := get(h, url).Body.String()
	main, footer, _ := strings.Cut(html, "<footer>")
	return main + "<footer>" + withoutTimings(footer)
}

func TestPages(t *testing.T) {
	_, h := newTestServer(t, fixed)
	for _, tt := range []struct {
		name, url, file string
		status          int
	}{
		{"the card greets the visitor", "/?name=Ada+%3Cb%3E", "card", 200},
		{"the chart of energy shows all years", "/energy", "energy", 200},
		{"the query becomes props", "/energy?from=2010&to=2014&share=1", "energy-share", 200},
		{"the report of jobs is Python", "/jobs?from=2008&to=2010", "jobs", 200},
		{"a year out of range is a bad request", "/jobs?from=1066", "bad-year", 400},
		{"a period backwards is a bad request", "/energy?from=2010&to=2009", "bad-period", 400},
		{"source that does not compile is shown", "/typo", "typo", 500},
		{"an exception shows its stack", "/error", "error", 500},
		{"an endless loop is stopped", "/loop", "loop", 500},
		{"a hunger for memory is stopped", "/memory", "memory", 500},
		{"a flood of output is stopped", "/output", "output", 500},
		{"hostile HTML is left to the headers", "/hostile", "hostile", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := get(h, tt.url)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			golden(t, filepath.Join("testdata", tt.file+".html"), body(h, tt.url))
		})
	}
	t.Run("another path is not found", func(t *testing.T) {
		if w := get(h, "/nothing"); w.Code != http.StatusNotFound {
			t.Errorf("status %d, want 404", w.Code)
		}
	})
}

func TestHeaders(t *testing.T) {
	_, h := newTestServer(t, nil)
	got := get(h, "/jobs").Header()
	got.Set("Server-Timing", withoutTimings(got.Get("Server-Timing")))
	for name, want := range map[string]string{
		"Cache-Control":           "no-store",
		"Content-Security-Policy": policy,
		"Content-Type":            "text/html; charset=utf-8",
		"Referrer-Policy":         "no-referrer",
		"Server-Timing":           "start;dur=0.000, guest;dur=0.000, total;dur=0.000",
		"X-Content-Type-Options":  "nosniff",
	} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
	if css := get(h, "/style.css").Header().Get("Content-Type"); css != "text/css; charset=utf-8" {
		t.Errorf("the style sheet is %q", css)
	}
}

func TestEveryVisitHasItsOwnRandomness(t *testing.T) {
	_, h := newTestServer(t, nil)
	seen := map[string]bool{}
	for range 20 {
		html := body(h, "/")
		if !strings.Contains(html, "has counted <b>1</b>") {
			t.Fatalf("the card remembers an earlier visit:\n%s", html)
		}
		seen[html[strings.Index(html, "<svg"):strings.Index(html, "</svg>")]] = true
	}
	if len(seen) != 20 {
		t.Errorf("20 visits saw %d patterns", len(seen))
	}
}

func TestMetrics(t *testing.T) {
	_, h := newTestServer(t, nil)
	for _, url := range []string{"/", "/energy", "/error", "/loop"} {
		get(h, url)
	}
	w := get(h, "/metrics")
	// The memory of a call that has failed is reset when the caller has gone on.
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(w.Body.String(), "spore_guests 0\n") && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
		w = get(h, "/metrics")
	}
	if got, want := w.Header().Get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8"; got != want {
		t.Errorf("Content-Type %q, want %q", got, want)
	}
	// How many bytes and memories there are is for the engine to decide.
	got := regexp.MustCompile(`(?m)^(spore_image_bytes|spore_idle_memories) [1-9]\d*$`).ReplaceAllString(w.Body.String(), "$1 some")
	golden(t, filepath.Join("testdata", "metrics.txt"), got)
}

func TestConcurrentRequestsDoNotMix(t *testing.T) {
	_, h := newTestServer(t, fixed)
	urls := []string{"/error", "/jobs?from=2010", "/energy", "/?name=Grace", "/jobs", "/typo"}
	for i := range 20 {
		urls = append(urls, fmt.Sprintf("/?name=visitor+%d", i))
	}
	want := map[string]string{}
	for _, url := range urls {
		want[url] = body(h, url)
	}
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range rounds * len(urls) {
				url := urls[(i*5+g*7)%len(urls)]
				res, err := srv.Client().Get(srv.URL + url)
				if err != nil {
					t.Error(err)
					return
				}
				html, err := io.ReadAll(res.Body)
				res.Body.Close()
				main, footer, _ := strings.Cut(string(html), "<footer>")
				if err != nil || main+"<footer>"+withoutTimings(footer) != want[url] {
					t.Errorf("%s differs from what it is alone (%v):\n%s", url, err, html)
					return
				}
			}
		})
	}
	wg.Wait()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it); got:\n%s", path, got)
	}
}
