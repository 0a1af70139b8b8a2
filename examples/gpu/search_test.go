package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"html"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A hit is a text on the page and its score.
type hit struct {
	text  string
	score float64
}

// nearest computes in plain Go what a search has to find.
func nearest(c *corpus, query string, most int) []hit {
	q := vectorOf(query)
	all := make([]hit, len(c.texts))
	for i := range all {
		sum := 0.0
		for j, x := range q {
			sum += float64(x) * float64(math.Float32frombits(binary.LittleEndian.Uint32(c.vectors[4*(vectorSize*i+j):])))
		}
		all[i] = hit{c.texts[i], sum}
	}
	slices.SortStableFunc(all, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
	return all[:most]
}

var result = regexp.MustCompile(`<li>(.*?) <meter[^>]*></meter> <span>(.*?)</span></li>`)

func search(t testing.TB, h http.Handler, query string) (hits []hit, w *httptest.ResponseRecorder) {
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/search?q="+url.QueryEscape(query), nil))
	for _, m := range result.FindAllStringSubmatch(w.Body.String(), -1) {
		score, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Error(err)
		}
		hits = append(hits, hit{html.UnescapeString(m[1]), score})
	}
	return hits, w
}

// requireFound compares scores, and texts where they are not as good as others.
func requireFound(t *testing.T, want, got []hit) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.InDelta(t, want[i].score, got[i].score, 0.0006, "%v\n%v", want, got)
		tied := slices.ContainsFunc(want, func(o hit) bool { return o != want[i] && math.Abs(o.score-want[i].score) < 1e-5 }) || i == len(want)-1
		if !tied {
			require.Equal(t, want[i].text, got[i].text)
		}
	}
}

func TestSearch(t *testing.T) {
	s, h := newTestServer(t, testConfig())
	for _, query := range []string{"a poet who paints lighthouses", "OSLO, bicycle!", "harbour", s.corpus.texts[1234], "xyzzy <b>&", "ß"} {
		hits, w := search(t, h, query)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		requireFound(t, nearest(s.corpus, query, 10), hits)
	}
	hits, w := search(t, h, s.corpus.texts[1234])
	require.Equal(t, hit{s.corpus.texts[1234], 1}, hits[0])
	require.Contains(t, w.Body.String(), "What it took on <b>cpu</b>")
	requireTimings(t, w)
	require.Contains(t, w.Body.String(), "cpu, ")

	hits, w = search(t, h, "")
	require.Empty(t, hits)
	require.Equal(t, http.StatusOK, w.Code)
	_, w = search(t, h, string(make([]byte, 1001)))
	require.Equal(t, http.StatusBadRequest, w.Code)
}

// TestOneConstant has many clones of a component search at the same time, for several visitors.
func TestOneConstant(t *testing.T) {
	s, h := newTestServer(t, testConfig())
	want := nearest(s.corpus, "violin", 10)
	var wg sync.WaitGroup
	found := make([][]hit, 60)
	for i := range found {
		wg.Go(func() {
			r := httptest.NewRequest(http.MethodGet, "/search?q=violin", nil)
			r.RemoteAddr = fmt.Sprintf("10.0.0.%d:1", i%20)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			for _, m := range result.FindAllStringSubmatch(w.Body.String(), -1) {
				score, _ := strconv.ParseFloat(m[2], 64)
				found[i] = append(found[i], hit{m[1], score})
			}
		})
	}
	wg.Wait()
	for _, hits := range found {
		requireFound(t, want, hits)
	}
	stats := s.pool.Stats()
	require.EqualValues(t, len(found), stats.Calls)
	require.Equal(t, 1, stats.Constants)
	require.EqualValues(t, 4*vectorSize*textCount, stats.ConstantBytes)
}

// TestNoDevice has a worker that does not start.
func TestNoDevice(t *testing.T) {
	c := testConfig()
	c.Command = []string{"/nowhere/spore-cudaworker"}
	c.Timeout = 2 * time.Second
	s, h := newTestServer(t, c)
	_, w := search(t, h, "violin")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "No device can serve now")
	require.NotContains(t, w.Body.String(), "nowhere")
	require.Zero(t, s.pool.Stats().Fallbacks)
}

// TestCorpus holds that it is the same each time, so that its constant is, too.
func TestCorpus(t *testing.T) {
	a, b := newCorpus(100), newCorpus(200)
	require.Equal(t, a.texts, b.texts[:100])
	require.Equal(t, a.vectors, b.vectors[:len(a.vectors)])
	require.Equal(t, "the tangled engineer remembers the tangled harbour in lisbon", a.texts[0])
}
