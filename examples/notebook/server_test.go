package main

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// A book is a notebook as a browser sees it: an address.
type book struct {
	t   *testing.T
	h   http.Handler
	url string
}

func newHandler(t *testing.T) http.Handler {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	eng, err := newEngine(log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, eng.Close()) })
	s, err := newServer(t.Context(), eng, log)
	require.NoError(t, err)
	return s.handler()
}

func begin(t *testing.T, h http.Handler, language string) *book {
	t.Helper()
	b := &book{t, h, "/"}
	return b.post(url.Values{"language": {language}})
}

// post sends a form and returns the notebook to which the answer leads.
func (b *book) post(form url.Values) *book {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodPost, b.url, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	require.Equal(b.t, http.StatusSeeOther, w.Code, "%s", w.Body)
	address, _, _ := strings.Cut(w.Header().Get("Location"), "#")
	return &book{b.t, b.h, address}
}

func (b *book) run(code string) *book {
	b.t.Helper()
	return b.post(url.Values{"code": {code}})
}

func (b *book) page() string {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, b.url, nil))
	require.Equal(b.t, http.StatusOK, w.Code)
	return w.Body.String()
}

// last returns what the last cell shows, without its code.
func (b *book) last() string {
	b.t.Helper()
	all := regexp.MustCompile(`(?s)<pre class="code">.*?</pre>\n(.*?)\n?<footer>`).FindAllStringSubmatch(b.page(), -1)
	require.NotEmpty(b.t, all)
	return all[len(all)-1][1]
}

var (
	timing  = regexp.MustCompile(`\d+\.\d ms`)
	address = regexp.MustCompile(`/n/[A-Z2-7]{26}`)
)

// golden compares a page, but for timings and random addresses.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = address.ReplaceAllString(timing.ReplaceAllString(got, "N ms"), "/n/ID")
	path := filepath.Join("testdata", name+".html")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test -update rewrites %s", path)
}

func TestPages(t *testing.T) {
	h := newHandler(t)
	golden(t, "front", (&book{t, h, "/"}).page())
	for _, l := range languages() {
		golden(t, strings.ToLower(l.Name)+"-empty", begin(t, h, l.Name).page())
	}
	for language, cells := range map[string][]string{
		"Python": {
			languages()[0].Example,
			"import sys\nprint('<b>', file=sys.stderr)\n{'n': len(wave), 'rest': [1, 2]}",
			"def half(n):\n    return n / 0\n\nhalf(len(wave))",
			"wave = (",
			"wave is not None",
		},
		"TypeScript": {
			languages()[1].Example,
			"console.warn('<b>');\nconst rest: number[] = [1, 2];\n({ n: wave.length, rest })",
			"function half(n: number) {\n  return n.no.where;\n}\n\nhalf(wave.length)",
			"const wave = (",
			"<table><tbody>{rest.map((n) => <tr key={n}><td>{n}</td></tr>)}</tbody></table>",
		},
	} {
		t.Run(language, func(t *testing.T) {
			b := begin(t, h, language)
			for _, code := range cells {
				b = b.run(code)
			}
			golden(t, strings.ToLower(language), b.page())
		})
	}
}

// TestTimeTravel goes back to a cell and on from there. Both futures know nothing of each other.
func TestTimeTravel(t *testing.T) {
	h := newHandler(t)
	for language, code := range map[string][3]string{
		"Python":     {"x = [1]", "x.append(%d); x", "x"},
		"TypeScript": {"const x = [1]", "x.push(%d); x", "x"},
	} {
		t.Run(language, func(t *testing.T) {
			one := begin(t, h, language).run(code[0])
			two := one.run(fmt.Sprintf(code[1], 2))
			other := one.run(fmt.Sprintf(code[1], 7))
			value := func(s string) string { return `<pre class="value">` + s + `</pre>` }
			list := map[string][3]string{"Python": {"[1, 2]", "[1, 7]", "[1]"}, "TypeScript": {"[ 1, 2 ]", "[ 1, 7 ]", "[ 1 ]"}}[language]
			require.Equal(t, value(list[0]), two.last())
			require.Equal(t, value(list[1]), other.last())
			require.Equal(t, value(list[0]), two.run(code[2]).last())
			require.Equal(t, value(list[2]), one.run(code[2]).last())
			require.Contains(t, one.page(), "3 branches")
		})
	}
}

func TestCellsThatDoNotEnd(t *testing.T) {
	h := newHandler(t)
	b := begin(t, h, "Python").run("x = 1")
	b = b.run("x = 2\nprint('before')\nwhile True: pass")
	require.Contains(t, b.last(), `<pre class="stdout">before</pre>`)
	require.Contains(t, b.last(), "The notebook is as it was before this cell.")
	b = b.run("import asyncio\nx = 3\nawait asyncio.sleep(3600)")
	require.Contains(t, b.last(), "waits for longer than a cell may")
	require.Equal(t, `<pre class="value">1</pre>`, b.run("x").last())
}

// TestManyAtOnce runs cells after the same one at the same time.
func TestManyAtOnce(t *testing.T) {
	b := begin(t, newHandler(t), "Python").run("x = 40")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			got := b.run(fmt.Sprintf("x += %d\nx", i)).last()
			if want := fmt.Sprintf(`<pre class="value">%d</pre>`, 40+i); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	wg.Wait()
}

func TestStrangers(t *testing.T) {
	b := begin(t, newHandler(t), "Python")
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/n/NOTEBOOK", nil),
		httptest.NewRequest(http.MethodPost, "/n/NOTEBOOK", nil),
	} {
		w := httptest.NewRecorder()
		b.h.ServeHTTP(w, r)
		require.Equal(t, http.StatusNotFound, w.Code)
	}
	r := httptest.NewRequest(http.MethodPost, b.url, strings.NewReader("code=1"))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	require.Equal(t, http.StatusForbidden, w.Code)
}
