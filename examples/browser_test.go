//go:build browser

// Package examples has tests of the examples in a real browser. They need
// Chromium and are run by `make browser`.
package examples

import (
	"bufio"
	"bytes"
	"flag"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var screenshots = flag.String("screenshots", filepath.Join(os.TempDir(), "spore-screenshots"), "write screenshots into `directory`")

// seen is what a person can see of a page. An element without area is not
// seen, however well it stands in the document.
type seen struct {
	Text     string // as rendered
	Rows     int    // in the bodies of tables
	Paths    int
	Rects    int
	TooWide  bool   // for the window
	Clipped  int    // texts that reach beyond their section
	Nameless int    // pictures that a screen reader cannot name
	Trouble  string // what the browser complains about
}

// failed is what it says about a page with status 500.
const failed = "error: Failed to load resource: the server responded with a status of 500 (Internal Server Error)"

const look = `(() => {
  const visible = (selector) => [...document.querySelectorAll(selector)].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  }).length;
  return {
    Text: document.body.innerText,
    Rows: visible("tbody tr"),
    Paths: visible("svg path"),
    Rects: visible("svg rect"),
    TooWide: document.documentElement.scrollWidth > innerWidth,
    Clipped: [...document.querySelectorAll("section :is(h1, h2, p, dt, dd, caption, th, td)")].filter(
      (e) => e.getBoundingClientRect().right > e.closest("section").getBoundingClientRect().right).length,
    Nameless: document.querySelectorAll("svg:not([aria-label])").length,
  };
})()`

// check compares the page with want and takes a screenshot named name. Each line
// of want.Text must be somewhere in the text of the page.
func check(t *testing.T, b *browser, name string, want seen) {
	t.Helper()
	var got seen
	b.eval(look, &got)
	for text := range strings.Lines(want.Text) {
		if text = strings.TrimSpace(text); !strings.Contains(got.Text, text) {
			t.Errorf("%s does not show %q, but:\n%s", name, text, got.Text)
		}
	}
	got.Text, want.Text = "", ""
	got.Trouble, b.trouble = strings.Join(b.trouble, "\n"), nil
	if got != want {
		t.Errorf("%s has %+v, want %+v", name, got, want)
	}
	shot := b.screenshot()
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(*screenshots, name+".png")
	if err := os.WriteFile(path, shot, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshot: %s", path)
	if n := colours(t, shot); n < 20 {
		t.Errorf("%s is blank, or nearly: it has %d colours", path, n)
	}
}

// colours counts the different colours in a PNG. The edges of letters alone
// have dozens.
func colours(t *testing.T, data []byte) int {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	found := map[[3]uint32]bool{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			found[[3]uint32{r, g, b}] = true
		}
	}
	return len(found)
}

// build compiles an example and returns the path of the program.
func build(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func TestBrowserHello(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(build(t, "hello"))
	cmd.Dir = dir
	printed, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("hello: %v\n%s", err, printed)
	}
	t.Logf("hello printed:\n%s", printed)

	b := newBrowser(t)
	for name, size := range map[string][2]int{"hello": {1400, 1220}, "hello-narrow": {420, 2240}} {
		b.open("file://"+filepath.ToSlash(filepath.Join(dir, "out.html")), size[0], size[1])
		// 12 months, 4 skies and 5 wet days; the band of temperatures and the
		// rain; 365 days and a legend of 4.
		check(t, b, name, seen{Rows: 12 + 4 + 5, Paths: 2, Rects: 365 + 4, Text: `
			Two dashboards, two languages, one process
			Seattle 2015, month by month
			Seattle 2015, day by day
			1,139.2 mm
			−3.8 °C
			dashboard.tsx: compiled in
			dashboard.py: compiled in
			public domain`})
	}
}

func TestBrowserWebserver(t *testing.T) {
	url := startServer(t, "webserver")
	b := newBrowser(t)
	open := func(path string) { b.open(url+path, 1000, 1000) }

	open("/energy")
	check(t, b, "energy", seen{Rows: 17, Paths: 3, Rects: 3, Text: `
		Renewable sources made 4% of it in 2001 and 39% in 2017.
		56,476
		energy.tsx rendered in`})

	// What a person does: choose, and press the button.
	b.eval(`document.querySelector("[name=from]").value = "2010"`, nil)
	b.eval(`document.querySelector("[name=share]").click()`, nil)
	b.load(func() { b.eval(`document.querySelector("form button").click()`, nil) })
	check(t, b, "energy-share", seen{Rows: 8, Paths: 3, Rects: 3, Text: `
		Renewable sources made 18% of it in 2010 and 39% in 2017.
		100%`})
	var query string
	b.eval(`location.search`, &query)
	if want := "?from=2010&to=2017&share=1"; query != want {
		t.Errorf("the form leads to %q, want %q", query, want)
	}

	open("/jobs")
	check(t, b, "jobs", seen{Rows: 10, Rects: 120, Text: `
		the country gained 7.9 million jobs
		jobs.py rendered in`})

	open("/typo")
	check(t, b, "typo", seen{Trouble: failed, Text: `
		Source error
		typo.tsx:4:26 Unexpected closing "h2" tag`})
	open("/error")
	check(t, b, "error", seen{Trouble: failed, Text: `
		TypeError: cannot read property 'amount' of undefined
		basket.tsx:17:48 Row`})
	open("/loop")
	check(t, b, "loop", seen{Trouble: failed, Text: `
		Limit exceeded
		CallTime`})
}

func TestBrowserCardDiffersWithEveryVisit(t *testing.T) {
	url := startServer(t, "webserver")
	b := newBrowser(t)
	const pattern = `document.querySelector("svg").outerHTML`
	var first, second string
	b.open(url, 1000, 520)
	b.eval(pattern, &first)
	b.load(func() { b.call("Page.reload", nil, nil) })
	b.eval(pattern, &second)
	if first == second {
		t.Errorf("both visits show %s", first)
	}
	var rects int
	b.eval(`document.querySelectorAll("svg rect").length`, &rects)
	check(t, b, "card", seen{Rects: rects, Text: `
		Hello, visitor
		has counted 1.`})
}

func TestBrowserStopsHostileHTML(t *testing.T) {
	url := startServer(t, "webserver") + "/hostile"
	b := newBrowser(t)
	b.open(url, 1000, 520)
	var got struct{ Title, URL string }
	b.eval(`({Title: document.title, URL: location.href})`, &got)
	if got.Title != "Hostile · Spore" || got.URL != url {
		t.Errorf("the page has become %+v", got)
	}
	for _, attack := range []string{"script", "https://attacker.example/leak.png", "refresh"} {
		if !strings.Contains(strings.Join(b.trouble, "\n"), attack) {
			t.Errorf("the browser did not stop %q:\n%s", attack, strings.Join(b.trouble, "\n"))
		}
	}
	b.trouble = nil
	check(t, b, "hostile", seen{Text: "Nothing happened"})
}

// startServer starts an example that is a server on a free port, and ends it as
// Ctrl-C does when the test ends.
func startServer(t *testing.T, name string, args ...string) (url string) {
	t.Helper()
	cmd := exec.Command(build(t, name), append(args, "-addr", "127.0.0.1:0")...)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for url == "" {
		if !lines.Scan() {
			t.Fatalf("the server ended before it listened: %v", cmd.Wait())
		}
		if m := regexp.MustCompile(`msg=listening url=(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			url = m[1]
		}
	}
	drained := make(chan struct{})
	go func() { // what nobody reads would block the server
		defer close(drained)
		for lines.Scan() {
			t.Log(lines.Text())
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return url
}
