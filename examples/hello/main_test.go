package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

var names = []string{"dashboard.tsx", "dashboard.py"}

// renderAll returns the HTML of each component.
func renderAll(t *testing.T) map[string]string {
	t.Helper()
	cacheDir, err := engine.DefaultCacheDir() // as the program does
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()},
		CacheDir: cacheDir,
		Limits:   engine.Limits{CallTime: time.Minute, CompileTime: time.Minute}, // a test machine may be busy
	})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	html := map[string]string{}
	for _, name := range names {
		r, err := measure(t.Context(), eng, name, 0)
		if err != nil {
			t.Fatal(err)
		}
		html[name] = string(r.HTML)
	}
	return html
}

func TestDashboards(t *testing.T) {
	html := renderAll(t)
	want := totals(t)
	for _, name := range names {
		t.Run(name+" renders the golden file", func(t *testing.T) {
			golden(t, filepath.Join("testdata", name+".html"), html[name])
		})
		t.Run(name+" has the totals that Go computes", func(t *testing.T) {
			if got := shownTotals(html[name]); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestRunWritesThePageAndPrintsTimings(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.html")
	var printed strings.Builder
	if err := run(t.Context(), out, 2, &printed); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for name, html := range renderAll(t) {
		if !strings.Contains(string(page), html) {
			t.Errorf("the page lacks the HTML of %s", name)
		}
		if row := regexp.MustCompile(fmt.Sprintf(`(?m)^ *%s( +[\d.]+[nµm]?s){5} +%d bytes *$`, regexp.QuoteMeta(name), len(html))); !row.MatchString(printed.String()) {
			t.Errorf("the table lacks a row that matches %s:\n%s", row, &printed)
		}
	}
	if !strings.Contains(printed.String(), "Open "+out+" to see both.") {
		t.Errorf("printed:\n%s", &printed)
	}
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

// totals computes what the dashboards show. It counts in tenths, in which the
// data is exact.
func totals(t *testing.T) string {
	t.Helper()
	var days []struct{ Rain, High, Low float64 }
	if err := json.Unmarshal(weather, &days); err != nil {
		t.Fatal(err)
	}
	tenths := func(x float64) int {
		if x < 0 {
			return int(10*x - 0.5)
		}
		return int(10*x + 0.5)
	}
	rain, wet, high, low := 0, 0, tenths(days[0].High), tenths(days[0].Low)
	for _, d := range days {
		rain += tenths(d.Rain)
		if d.Rain > 0 {
			wet++
		}
		high, low = max(high, tenths(d.High)), min(low, tenths(d.Low))
	}
	return fmt.Sprintf("Days %d; Rain %s mm; Wet days %d; Warmest %s °C; Coldest %s °C", len(days), decimal(rain), wet, decimal(high), decimal(low))
}

// decimal prints tenths as the dashboards do: "1,139.2", "−3.8".
func decimal(tenths int) string {
	sign := ""
	if tenths < 0 {
		sign, tenths = "−", -tenths
	}
	whole := fmt.Sprint(tenths / 10)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return fmt.Sprintf("%s%s.%d", sign, whole, tenths%10)
}

// shownTotals reads the totals out of a dashboard.
func shownTotals(html string) string {
	var list []string
	for _, m := range regexp.MustCompile(`<dt>(.*?)</dt><dd>(.*?)</dd>`).FindAllStringSubmatch(html, -1) {
		list = append(list, m[1]+" "+regexp.MustCompile(`<.*?>`).ReplaceAllString(m[2], ""))
	}
	return strings.Join(list, "; ")
}
